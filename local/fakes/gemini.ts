import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBlankPicture } from './blankPicture.ts';
import {
  bodyBytesMax,
  type ParsedRequest,
  parseBody,
  parseRequest,
  type ResponseSchema,
  refuseCaller,
} from './geminiCheck.ts';
import {
  type BlankStep,
  type GeminiStep,
  googleError,
  type Part,
  type ReplyMetadata,
} from './geminiFaults.ts';
import { getPixels, type ImageModel } from './geminiModels.ts';
import { findNote } from './imageNote.ts';
import { createPlainPicture, drawPicture, type Picture } from './picture.ts';
import { answer, createFaultScript, type Reply, readBody, send, startServer } from './server.ts';
import { createSketch, parseSketch, type Sketch } from './sketch.ts';

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
  /** Draws a scene for each image. Without it, an image has one colour and takes no time. */
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
  const draw = options.drawsScenes ? drawPicture : createPlainPicture;
  const chooseSketch = createSketchChooser();
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
          : await createParts(modelId, parsedRequest, {
              drafts: step?.kind === 'drafts' ? step.count : 0,
              chooseSketch,
              draw,
            });
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

type Studio = {
  drafts: number;
  chooseSketch: (request: ParsedRequest) => Sketch;
  draw: (picture: Picture) => Promise<Buffer>;
};

/** How many prompts the fake remembers, to draw each differently the next time. */
const promptsMax = 1000;

/**
 * Chooses what a request's picture shows: the parent's scene if its first image is one of the fake's own, else what
 * the prompt asks for. The same prompt again, as in a group, gives another variant of the scene.
 */
function createSketchChooser() {
  const counts = new Map<string, number>();
  return ({ prompt, parent }: ParsedRequest): Sketch => {
    const parentSketch = parent && parseSketch(findNote(parent));
    const key = JSON.stringify([prompt, parentSketch]);
    const variant = counts.get(key) ?? 0;
    counts.delete(key);
    counts.set(key, variant + 1);
    if (counts.size > promptsMax) counts.delete(counts.keys().next().value ?? '');
    return createSketch(prompt, variant, parentSketch);
  };
}

async function createParts(
  modelId: string,
  parsedRequest: ParsedRequest,
  { drafts, chooseSketch, draw }: Studio,
): Promise<Part[]> {
  const { model, prompt, aspectRatio = '1:1', imageSize, references, parent } = parsedRequest;
  if (model.kind === 'text') return [{ text: createText(parsedRequest) }];
  if (!parsedRequest.wantsImage) return [{ text: `A picture of ${prompt}` }];
  const sketch = chooseSketch(parsedRequest);
  const createImagePart = async (drawn: Sketch): Promise<Part> => {
    const bytes = await draw({
      ...getPixels(model, aspectRatio, imageSize),
      sketch: drawn,
      details: [modelId, aspectRatio, ...(imageSize ? [imageSize] : [])].join(' · '),
      // The picture itself shows the parent.
      references:
        sketch.parentPrompt === undefined ? references : references.filter((each) => each !== parent),
      mimeType: model.mimeType,
    });
    return { inlineData: { mimeType: model.mimeType, data: bytes.toString('base64') } };
  };
  const parts: Part[] = [];
  for (let draft = 1; draft <= drafts; draft += 1) {
    parts.push({ text: `**Composing, draft ${draft}**`, thought: true });
    const image = await createImagePart(createSketch(`Draft ${draft}: ${prompt}`, draft));
    parts.push({ ...image, thought: true });
  }
  if (parsedRequest.wantsText) parts.push({ text: 'Here is your image:' });
  const image = await createImagePart(sketch);
  // The 3.x models sign their thoughts, also on the final part.
  return [...parts, model.sizes.length > 0 ? { ...image, thoughtSignature: 'ZmFrZQ==' } : image];
}

async function createBlankPart(
  { aspectRatio, size, mimeType = 'image/png', isCutOff }: BlankStep,
  model: ImageModel,
  request: ParsedRequest,
): Promise<Part> {
  const pixels = size ?? getPixels(model, aspectRatio ?? request.aspectRatio, request.imageSize);
  const bytes = await createBlankPicture({ ...pixels, mimeType });
  const kept = isCutOff ? bytes.subarray(0, Math.ceil(bytes.length / 2)) : bytes;
  return { inlineData: { mimeType, data: kept.toString('base64') } };
}

/**
 * The answer of a text model: JSON if the request has a schema. With a system instruction, it improves the prompt,
 * always in the same way.
 */
function createText({
  prompt,
  hasSystemInstruction,
  maxOutputTokens,
  responseSchema,
}: ParsedRequest): string {
  const subject = prompt.trim().replace(/[.\s]+$/, '');
  const words = hasSystemInstruction
    ? `${subject}, in soft natural light, with a balanced composition, fine texture and vivid yet harmonious colours.`
    : `You said: ${subject}`;
  const text = responseSchema ? JSON.stringify(fillSchema(responseSchema, words)) : words;
  return maxOutputTokens === undefined ? text : text.slice(0, maxOutputTokens * charactersPerToken);
}

/** A value of the schema's shape: every text is `words`, every flag true. */
function fillSchema({ type, properties = {}, items = {} }: ResponseSchema, words: string): unknown {
  switch (type?.toUpperCase()) {
    case 'OBJECT':
      return Object.fromEntries(
        Object.entries(properties).map(([name, schema]) => [name, fillSchema(schema, words)]),
      );
    case 'ARRAY':
      return [fillSchema(items, words)];
    case 'BOOLEAN':
      return true;
    case 'INTEGER':
    case 'NUMBER':
      return 1;
    default:
      return words;
  }
}

const charactersPerToken = 4;
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
