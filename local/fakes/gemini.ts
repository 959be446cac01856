import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bodyBytesMax, type ParsedRequest, parseBody, parseRequest, refuseCaller } from './geminiCheck.ts';
import { type GeminiStep, googleError, type Part } from './geminiFaults.ts';
import { getPixels, type ImageModel } from './geminiModels.ts';
import { drawPicture } from './picture.ts';
import { answer, createFaultScript, type Reply, readBody, send, startServer } from './server.ts';

/** One `generateContent` call as it arrived; refused ones are recorded too. */
export type GeminiRequest = {
  model: string;
  version: string;
  headers: IncomingMessage['headers'];
  /** Parsed JSON, undefined when it was none. */
  body: unknown;
  /** Milliseconds since 1970. */
  at: number;
  /** The stand-in did the work, as billed: it made a picture or a text, whether or not it was delivered. */
  worked: boolean;
  /** The status of the refusal when the request itself was wrong. */
  refused?: number;
};

export type GeminiOptions = {
  /** 0 or none: a free one. */
  port?: number;
  host?: string;
  /** The only key that is let in. */
  apiKey: string;
  /** How long every good answer takes. */
  latencyMs?: number;
  /** Awaited before an answer that was not refused, so that a test can hold a paint and let it go. */
  onRequest?: (request: GeminiRequest) => Promise<void> | void;
  /** How many requests to remember; the oldest go first. A long-running process wants few. */
  requestsMax?: number;
};

export type FakeGemini = {
  /** For `httpOptions.baseUrl` or GOOGLE_GEMINI_BASE_URL. */
  url: string;
  requests: GeminiRequest[];
  /** Queues steps, one for each request that is not refused (and is for the step's model, if it names one). */
  script: (...steps: GeminiStep[]) => void;
  /** A step for every request that no queued one is for; undefined ends it. */
  always: (step: GeminiStep | undefined) => void;
  /** Ends open connections too. */
  close: () => Promise<void>;
};

/**
 * The Gemini API's `generateContent`, on the wire. A request which the real service would refuse is
 * refused first, and uses up no scripted step: a fault never hides a mistake of the client.
 */
export async function startFakeGemini(options: GeminiOptions): Promise<FakeGemini> {
  const { apiKey, latencyMs = 0, onRequest, requestsMax = 10_000 } = options;
  const requests: GeminiRequest[] = [];
  const faults = createFaultScript<GeminiStep>();

  async function generateContent(
    request: IncomingMessage,
    response: ServerResponse,
    { version, model: modelId }: { version: string; model: string },
    closing: AbortSignal,
  ): Promise<void> {
    const parsed = parseBody(await readBody(request, bodyBytesMax));
    const record: GeminiRequest = {
      model: modelId,
      version,
      headers: request.headers,
      body: 'body' in parsed ? parsed.body : undefined,
      at: Date.now(),
      worked: false,
    };
    requests.push(record);
    if (requests.length > requestsMax) requests.shift();
    const caller = {
      key: header(request, 'x-goog-api-key'),
      serverTimeout: header(request, 'x-server-timeout'),
    };
    const refusal = refuseCaller(caller, apiKey) ?? ('refusal' in parsed ? parsed.refusal : undefined);
    const parsedRequest = refusal ? { refusal } : parseRequest(modelId, version, record.body);
    if ('refusal' in parsedRequest) {
      record.refused = parsedRequest.refusal.status;
      return send(response, parsedRequest.refusal);
    }
    await onRequest?.(record);
    const step = faults.take(({ model }) => model === undefined || model === modelId);
    const work = async (): Promise<Reply> => {
      if (latencyMs > 0) await sleep(latencyMs, undefined, { signal: closing });
      if (step?.kind === 'answer') {
        return { status: 200, body: { ...step.body, ...toMetadata(modelId, parsedRequest, 0) } };
      }
      record.worked = true;
      const parts = await createParts(modelId, parsedRequest, step?.kind === 'drafts' ? step.count : 0);
      return { status: 200, body: toResponseBody(modelId, parsedRequest, parts) };
    };
    const fault = step?.kind === 'answer' || step?.kind === 'drafts' ? undefined : step;
    await answer(response, fault, closing, work);
  }

  const { url, close } = await startServer(options, async (request, response, closing) => {
    const path = new URL(request.url ?? '/', 'http://stand-in').pathname;
    const call = /^\/(?<version>v1beta|v1)\/models\/(?<model>[^/:]+):(?<method>\w+)$/.exec(path)?.groups;
    const { version = '', model = '', method = '' } = call ?? {};
    if (request.method === 'POST' && method === 'generateContent') {
      return generateContent(request, response, { version, model: decodeURIComponent(model) }, closing);
    }
    // Whatever else there is (`:predict` of Imagen, streaming, listing) is not served.
    request.resume();
    send(
      response,
      call
        ? googleError(
            404,
            'NOT_FOUND',
            `models/${model} is not found for API version ${version}, or is not supported for ${method}.`,
          )
        : {
            status: 404,
            headers: { 'content-type': 'text/html; charset=UTF-8' },
            body: 'Error 404 (Not Found)!!1',
          },
    );
  });
  return { url, requests, script: faults.script, always: faults.always, close };
}

const header = (request: IncomingMessage, name: string) => request.headers[name]?.toString();

async function createParts(modelId: string, parsedRequest: ParsedRequest, drafts: number): Promise<Part[]> {
  const { model } = parsedRequest;
  if (model.kind === 'text') return [{ text: createText(parsedRequest) }];
  if (!parsedRequest.wantsImage) return [{ text: `A picture of ${parsedRequest.prompt}` }];
  const parts: Part[] = [];
  for (let draft = 1; draft <= drafts; draft += 1) {
    parts.push({ text: `**Composing, draft ${draft}**`, thought: true });
    parts.push({
      ...(await createImagePart(modelId, model, parsedRequest, `Draft ${draft}: ${parsedRequest.prompt}`)),
      thought: true,
    });
  }
  if (parsedRequest.wantsText) parts.push({ text: 'Here is your image:' });
  const picture = await createImagePart(modelId, model, parsedRequest, parsedRequest.prompt);
  // The 3.x models sign their thoughts, on the final part as well.
  return [...parts, model.sizes.length > 0 ? { ...picture, thoughtSignature: 'c3RhbmQtaW4=' } : picture];
}

async function createImagePart(
  modelId: string,
  model: ImageModel,
  parsedRequest: ParsedRequest,
  prompt: string,
): Promise<Part> {
  const { aspectRatio = '1:1', imageSize, references } = parsedRequest;
  const bytes = await drawPicture({
    ...getPixels(model, aspectRatio, imageSize),
    prompt,
    caption: [modelId, aspectRatio, ...(imageSize ? [imageSize] : [])].join(' · '),
    references,
    mimeType: model.mimeType,
  });
  return { inlineData: { mimeType: model.mimeType, data: bytes.toString('base64') } };
}

/** With a system instruction: the prompt, improved the same way every time. */
function createText({ prompt, hasSystemInstruction, maxOutputTokens }: ParsedRequest): string {
  const subject = prompt.trim().replace(/[.\s]+$/, '');
  const text = hasSystemInstruction
    ? `${subject}, in soft natural light, with a balanced composition, fine texture and vivid yet harmonious colours.`
    : `You said: ${subject}`;
  return maxOutputTokens === undefined ? text : text.slice(0, maxOutputTokens * charactersPerToken);
}

const charactersPerToken = 4;
const tokensPerReference = 258;

function toResponseBody(modelId: string, parsedRequest: ParsedRequest, parts: Part[]): object {
  const text = parts.flatMap((part) => part.text ?? []).join('');
  const textTokens = Math.ceil(text.length / charactersPerToken);
  const isTruncated =
    parsedRequest.maxOutputTokens !== undefined && textTokens >= parsedRequest.maxOutputTokens;
  const images = parts.filter((part) => part.inlineData && !part.thought).length;
  const imageTokens =
    parsedRequest.model.kind === 'image'
      ? images * (parsedRequest.model.tokens[parsedRequest.imageSize ?? '1K'] ?? 0)
      : 0;
  return {
    candidates: [
      { content: { parts, role: 'model' }, finishReason: isTruncated ? 'MAX_TOKENS' : 'STOP', index: 0 },
    ],
    ...toMetadata(modelId, parsedRequest, textTokens + imageTokens, imageTokens),
  };
}

function toMetadata(
  modelId: string,
  parsedRequest: ParsedRequest,
  candidatesTokenCount: number,
  imageTokens = 0,
): object {
  const promptTokens = Math.ceil(parsedRequest.prompt.length / charactersPerToken);
  const referenceTokens = parsedRequest.references.length * tokensPerReference;
  const promptTokenCount = promptTokens + referenceTokens;
  return {
    usageMetadata: {
      promptTokenCount,
      ...(candidatesTokenCount > 0 ? { candidatesTokenCount } : {}),
      totalTokenCount: promptTokenCount + candidatesTokenCount,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: promptTokens },
        ...(referenceTokens > 0 ? [{ modality: 'IMAGE', tokenCount: referenceTokens }] : []),
      ],
      ...(imageTokens > 0
        ? { candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: imageTokens }] }
        : {}),
    },
    modelVersion: modelId,
    responseId: randomBytes(12).toString('base64url'),
  };
}
