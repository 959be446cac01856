import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bodyBytesMax, type ParsedRequest, parseBody, parseRequest, refuseCaller } from './geminiCheck.ts';
import { type GeminiStep, googleError, type Part, type ReplyMetadata } from './geminiFaults.ts';
import { charactersPerToken, createBlankPart, createPartsFactory } from './geminiParts.ts';
import { answer, createFaultScript, type Reply, readBody, send, startServer } from './server.ts';

/** One `generateContent` call as it arrived. Refused calls are recorded too. */
export type GeminiRequest = {
  model: string;
  version: string;
  headers: IncomingMessage['headers'];
  /** Parsed JSON; undefined if the body is not JSON. */
  body: unknown;
  /** Milliseconds since 1970. */
  at: number;
  /** True if the fake made an image or a text, which Google would bill, whether or not it was delivered. */
  worked: boolean;
  /** The status of the refusal, if the request was invalid. */
  refused?: number;
};

export type GeminiOptions = {
  /** 0 or undefined means any free port. */
  port?: number;
  host?: string;
  /** The only accepted key. */
  apiKey: string;
  /** How long every successful answer takes, milliseconds. */
  latencyMs?: number;
  /**
   * Draws a scene for each image, and another variant of it when the prompt comes again. Without it, an image has one
   * colour and takes no time, and the same prompt gives the same bytes.
   */
  drawsScenes?: boolean;
  /** Awaited before the answer to a valid request, so that a test can delay a generation. */
  onRequest?: (request: GeminiRequest) => Promise<void> | void;
  /** How many requests to remember; the oldest are dropped first. Use a small number in a long-running process. */
  requestsMax?: number;
};

export type FakeGemini = {
  /** For `httpOptions.baseUrl` or GOOGLE_GEMINI_BASE_URL. */
  url: string;
  requests: GeminiRequest[];
  /** Queues steps. Each applies to one valid request, to the step's model if it names one. */
  script: (...steps: GeminiStep[]) => void;
  /** Sets the step for every request without a queued one; undefined removes it. */
  always: (step: GeminiStep | undefined) => void;
  /** Stops the server and closes open connections. */
  close: () => Promise<void>;
};

/**
 * Starts a fake of the Gemini API's `generateContent`. An invalid request is refused before any scripted step, and
 * uses up none, so that a fault never hides a client's mistake.
 */
export async function startFakeGemini(options: GeminiOptions): Promise<FakeGemini> {
  const { apiKey, latencyMs = 0, onRequest, requestsMax = 10_000 } = options;
  const createParts = createPartsFactory(options.drawsScenes);
  const requests: GeminiRequest[] = [];
  const faults = createFaultScript<GeminiStep>();

  async function generateContent(
    request: IncomingMessage,
    response: ServerResponse,
    { version, model: modelId }: { version: string; model: string },
    closing: AbortSignal,
  ): Promise<void> {
    const parsedBody = parseBody(await readBody(request, bodyBytesMax));
    const record: GeminiRequest = {
      model: modelId,
      version,
      headers: request.headers,
      body: 'body' in parsedBody ? parsedBody.body : undefined,
      at: Date.now(),
      worked: false,
    };
    requests.push(record);
    if (requests.length > requestsMax) requests.shift();
    const caller = {
      key: header(request, 'x-goog-api-key'),
      serverTimeout: header(request, 'x-server-timeout'),
    };
    const refusal =
      refuseCaller(caller, apiKey) ?? ('refusal' in parsedBody ? parsedBody.refusal : undefined);
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
        const body = { ...step.body, ...toMetadata(modelId, parsedRequest, 0) };
        return { status: 200, body: withMetadata(body, step.metadata) };
      }
      record.worked = true;
      const parts =
        step?.kind === 'blank' && parsedRequest.model.kind === 'image'
          ? [await createBlankPart(step, parsedRequest.model, parsedRequest)]
          : await createParts(modelId, parsedRequest, step?.kind === 'drafts' ? step.count : 0);
      const body = toResponseBody(modelId, parsedRequest, parts);
      return { status: 200, body: withMetadata(body, step?.kind === 'drafts' ? step.metadata : undefined) };
    };
    const fault =
      step?.kind === 'answer' || step?.kind === 'drafts' || step?.kind === 'blank' ? undefined : step;
    await answer(response, fault, closing, work);
  }

  const { url, close } = await startServer(options, async (request, response, closing) => {
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    const call = /^\/(?<version>v1beta|v1)\/models\/(?<model>[^/:]+):(?<method>\w+)$/.exec(path)?.groups;
    const { version = '', model = '', method = '' } = call ?? {};
    if (request.method === 'POST' && method === 'generateContent') {
      return generateContent(request, response, { version, model: decodeURIComponent(model) }, closing);
    }
    // Other methods (`:predict` of Imagen, streaming, listing) are not implemented.
    request.resume();
    send(response, call ? methodNotFound(model, version, method) : pageNotFound);
  });
  return { url, requests, script: faults.script, always: faults.always, close };
}

const pageNotFound: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: 'Error 404 (Not Found)!!1',
};

const methodNotFound = (model: string, version: string, method: string): Reply =>
  googleError(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version ${version}, or is not supported for ${method}.`,
  );

const header = (request: IncomingMessage, name: string) => request.headers[name]?.toString();

const tokensPerReference = 258;

function toResponseBody(modelId: string, parsedRequest: ParsedRequest, parts: Part[]) {
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

/** A body with a step's own metadata over the usual one. */
function withMetadata(
  body: { usageMetadata?: object },
  { usageMetadata, ...metadata }: ReplyMetadata = {},
): object {
  return { ...body, usageMetadata: { ...body.usageMetadata, ...usageMetadata }, ...metadata };
}

function toMetadata(
  modelId: string,
  parsedRequest: ParsedRequest,
  candidatesTokenCount: number,
  imageTokens = 0,
): { usageMetadata: object; modelVersion: string; responseId: string } {
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
