/**
 * Gemini's image models, and the only place that imports their SDK.
 * Wire facts are from Google's Gemini API reference and from the SDK's source, version 3.1.
 */
import { ApiError, type GenerateContentResponse, GoogleGenAI, Modality } from '@google/genai';
import { z } from 'zod';
import type { Config } from './config.ts';
import { DeadlinePassed, withDeadline } from './deadline.ts';
import { Failure } from './errors.ts';
import { type ImageFacts, sniffImage } from './images.ts';
import { type AspectRatio, imageModel } from './models.ts';

export type Painting = ImageFacts & {
  model: string;
  bytes: Buffer;
  /** What the provider bills for it, micro-dollars. */
  providerCostMicros: number;
};

export type PaintRequest = { prompt: string; aspectRatio: AspectRatio };

/**
 * Paints one image. `millisecondsLeft` is a hard deadline, whatever the service does.
 * @throws {Failure} CONTENT_BLOCKED, NO_IMAGE, PROVIDER_*; the signal's reason when it aborts.
 */
export type Painter = (
  request: PaintRequest,
  millisecondsLeft: number,
  signal: AbortSignal,
) => Promise<Painting>;

/** Longest text of the model that is passed on as the reason for no image, in UTF-16 units. */
const modelTextCharactersMax = 300;

// Finish reasons that are a verdict on the content (the rest is a model that failed to paint).
const blockedReasons = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** The painter of a configuration. @throws {Failure} PROVIDER_MISCONFIGURED without credentials. */
export function createPainter({ gemini, modelId, projectId }: Config): Painter {
  if (!gemini.apiKey && !gemini.vertexAi) {
    throw misconfigured(new Error('GEMINI_API_KEY is not set, and GOOGLE_GENAI_USE_VERTEXAI is not true'));
  }
  const client = new GoogleGenAI({
    ...(gemini.vertexAi
      ? { vertexai: true, project: projectId, location: gemini.location ?? 'global' }
      : { vertexai: false, apiKey: gemini.apiKey ?? '' }),
    // The SDK's default became v1 with 3.0; image generation is documented under v1beta.
    ...(gemini.vertexAi ? {} : { apiVersion: 'v1beta' }),
    httpOptions: { ...(gemini.baseUrl && { baseUrl: gemini.baseUrl }) },
  });
  const model = imageModel(modelId);

  return async ({ prompt, aspectRatio }, millisecondsLeft, signal) => {
    // Not httpOptions.timeout: the SDK sends that to the API, which refuses less than 10 s.
    const abort = new AbortController();
    const answer = client.models.generateContent({
      model: model.id,
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      config: {
        responseModalities: [Modality.IMAGE],
        imageConfig: { aspectRatio, ...(model.imageSize && { imageSize: model.imageSize }) },
        abortSignal: AbortSignal.any([signal, abort.signal]),
      },
    });
    try {
      const response = await withDeadline(answer, millisecondsLeft, 'Painting', signal);
      return { ...imageOf(response), model: model.id, providerCostMicros: model.costMicros };
    } catch (error) {
      abort.abort();
      throw error instanceof Failure || signal.aborted ? error : translate(error);
    }
  };
}

/** The image in a reply. A reply without one is still HTTP 200, in three forms, each told apart here. */
function imageOf(response: GenerateContentResponse): ImageFacts & { bytes: Buffer } {
  const blockReason = response.promptFeedback?.blockReason;
  if (blockReason) throw blocked(blockReason);
  const candidate = response.candidates?.[0];
  const parts = candidate?.content?.parts ?? [];
  // Gemini 3 may return drafts first (as thoughts or not): the last image is the one that is meant.
  const image = parts.findLast((part) => part.inlineData && !part.thought)?.inlineData;
  if (image) {
    const bytes = Buffer.from(image.data ?? '', 'base64');
    const facts = sniffImage(bytes);
    if (facts) return { ...facts, bytes };
    throw new Failure('NO_IMAGE', 'What the model returned is not an image.');
  }
  const finishReason = candidate?.finishReason ?? 'NO_CANDIDATE';
  if (blockedReasons.has(finishReason)) throw blocked(finishReason);
  const text = parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
  const words = text.trim().slice(0, modelTextCharactersMax);
  throw new Failure(
    'NO_IMAGE',
    words ? `The model answered without an image: ${words}` : 'The model made no image.',
    {
      metadata: { finishReason },
    },
  );
}

function blocked(finishReason: string): Failure {
  return new Failure('CONTENT_BLOCKED', 'The model would not paint this. Please change the prompt.', {
    metadata: { finishReason },
  });
}

function misconfigured(cause: unknown): Failure {
  return new Failure('PROVIDER_MISCONFIGURED', 'Painting is not set up correctly on our side.', { cause });
}

const errorBodySchema = z.object({
  error: z.object({
    status: z.string().optional(),
    message: z.string().optional(),
    details: z
      .array(z.looseObject({ reason: z.string().optional(), retryDelay: z.string().optional() }))
      .optional(),
  }),
});

/** What the SDK throws as a reason of ours. Of the vendor's own words only codes are kept: they may quote anything. */
function translate(error: unknown): Failure {
  if (error instanceof DeadlinePassed) {
    return new Failure('PROVIDER_TIMEOUT', 'The model took too long.', { cause: error });
  }
  if (!(error instanceof ApiError)) {
    const { name, cause } = (error ?? {}) as { name?: string; cause?: { code?: string } };
    const facts = new Error(`Gemini gave no usable answer: ${[name, cause?.code].filter(Boolean).join(' ')}`);
    return new Failure('PROVIDER_ERROR', 'The model gave no usable answer.', { cause: facts });
  }
  const body = errorBodyOf(error);
  const reason = body?.details?.find((detail) => detail.reason)?.reason;
  const cause = new Error(
    `Gemini answered ${[error.status, body?.status, reason].filter(Boolean).join(' ')}`,
  );
  switch (error.status) {
    case 400:
      if (reason === 'API_KEY_INVALID' || body?.status === 'FAILED_PRECONDITION') return misconfigured(cause);
      return new Failure('PROVIDER_ERROR', 'The model refused the request.', { cause });
    case 401:
    case 403:
    case 404:
      return misconfigured(cause);
    case 429: {
      // A day's quota and none at all come with a delay of a second as well, which means nothing.
      const isLasting = /PerDay|limit: 0/.test(error.message);
      const delay = body?.details?.find((detail) => detail.retryDelay)?.retryDelay;
      const seconds = Math.ceil(Number.parseFloat(delay ?? ''));
      const retry = !isLasting && seconds > 0 ? { retryAfterSeconds: seconds } : {};
      return new Failure('PROVIDER_QUOTA', 'The model is used up for now.', { ...retry, cause });
    }
    case 503:
      return new Failure('PROVIDER_OVERLOADED', 'The model is overloaded.', { retryAfterSeconds: 5, cause });
    case 504:
      return new Failure('PROVIDER_TIMEOUT', 'The model took too long.', { cause });
    default:
      return new Failure('PROVIDER_ERROR', 'The model failed.', { cause });
  }
}

/** ApiError's message is the reply's body as text. */
function errorBodyOf(error: ApiError) {
  try {
    return errorBodySchema.safeParse(JSON.parse(error.message)).data?.error;
  } catch {
    return undefined; // Not JSON: a proxy's HTML page, or nothing.
  }
}
