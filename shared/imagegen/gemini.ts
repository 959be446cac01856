/**
 * Gemini's models, and the only place that imports their SDK: one call to one model, under a hard deadline.
 * Wire facts are from Google's Gemini API reference and from the SDK's source, version 3.1.
 */
import { ApiError, type GenerateContentResponse, GoogleGenAI, Modality } from '@google/genai';
import * as z from 'zod';
import { DeadlinePassed, withDeadline } from '../core/deadline.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import { type ImageFacts, sniffImage } from '../images/imageFormat.ts';
import { type InlineReply, imagePart, readInlineReply } from './inlineImages.ts';
import type { AspectRatio, ImageModel } from './models.ts';

/** An image to paint after: its type as read off its bytes, and the bytes in base64. */
export type Reference = { mimeType: ImageFacts['mimeType']; data: string };

export type ImageRequest = { prompt: string; aspectRatio: AspectRatio; references: readonly Reference[] };

export type GeneratedImage = ImageFacts & {
  model: string;
  /** The image's bytes, in order, and how many they are. */
  chunks: Uint8Array[];
  bytes: number;
  /** What the provider bills for it, micro-dollars. */
  providerCostMicros: number;
};

export type Improved = { text: string; providerCostMicros: number };

export type Gemini = {
  /** @throws {Failure} CONTENT_BLOCKED, NO_IMAGE, PROVIDER_*, each with its `trouble` and what was billed. */
  generateImage(
    model: ImageModel,
    request: ImageRequest,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<GeneratedImage>;
  /** A text model's answer to a prompt under an instruction. @throws {Failure} PROVIDER_*. */
  write(
    modelId: string,
    instruction: string,
    prompt: string,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<Improved>;
};

/** Longest text of the model that is passed on as the reason for no image, in UTF-16 units. */
const modelTextCharactersMax = 300;
/** What a small text model bills for a million tokens, dollars, which are micro-dollars for one. */
const textDollars = { input: 0.1, output: 0.4 };

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

/** Where Gemini is and how it is paid for: an API key, or Vertex AI in a project and location. */
export type GeminiOptions = {
  projectId: string;
  gemini: {
    apiKey: string | undefined;
    baseUrl: string | undefined;
    vertexAi: boolean;
    location: string | undefined;
  };
};

/** Gemini as a configuration has it. @throws {Failure} PROVIDER_MISCONFIGURED without credentials. */
export function createGemini({ gemini, projectId }: GeminiOptions): Gemini {
  if (!gemini.apiKey && !gemini.vertexAi) {
    throw misconfigured(new Error('GEMINI_API_KEY is not set, and GOOGLE_GENAI_USE_VERTEXAI is not true'));
  }
  const client = new GoogleGenAI(
    gemini.vertexAi
      ? { vertexai: true, project: projectId, location: gemini.location ?? 'global' }
      : // The SDK's default became v1 with 3.0; image generation is documented under v1beta.
        { vertexai: false, apiKey: gemini.apiKey ?? '', apiVersion: 'v1beta' },
  );

  /** One request. The SDK keeps neither headers nor the status of a body that is no JSON: we look on. */
  async function call(
    request: Omit<Parameters<typeof client.models.generateContent>[0], 'contents'> & { parts: object[] },
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<{ response: GenerateContentResponse; image: InlineReply['image'] }> {
    const seen: Seen = {};
    let image: InlineReply['image'] = () => [];
    const abort = new AbortController();
    const { parts, config, model } = request;
    const answer = client.models.generateContent({
      model,
      contents: [{ role: 'user', parts }],
      config: {
        ...config,
        // Not httpOptions.timeout: the SDK sends that to the API, which refuses less than 10 s.
        abortSignal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
        httpOptions: {
          ...(gemini.baseUrl && { baseUrl: gemini.baseUrl }),
          fetch: async (input, init) => {
            const response = await fetch(input, init);
            seen.status = response.status;
            seen.retryAfter = response.headers.get('retry-after');
            if (response.status !== 200 || !response.body) return response;
            const reply = await readInlineReply(response.body);
            image = reply.image;
            return new Response(reply.json, { headers: response.headers });
          },
        },
      },
    });
    try {
      return { response: await withDeadline(answer, milliseconds, 'Gemini', signal), image };
    } catch (error) {
      abort.abort();
      throw signal?.aborted ? error : translate(error, seen);
    }
  }

  return {
    async generateImage(model, { prompt, aspectRatio, references }, milliseconds, signal) {
      const images = references.map((inlineData) => ({ inlineData }));
      const config = {
        responseModalities: [Modality.IMAGE],
        imageConfig: { aspectRatio, ...(model.imageSize && { imageSize: model.imageSize }) },
      };
      const { costMicros } = model;
      try {
        const { response, image } = await call(
          { model: model.id, config, parts: [{ text: prompt }, ...images] },
          milliseconds,
          signal,
        );
        return { ...findImage(response, image, costMicros), model: model.id, providerCostMicros: costMicros };
      } catch (error) {
        throw error instanceof Failure && error.details.providerFailure?.mayBeBilled
          ? error.with({ providerCostMicros: costMicros })
          : error;
      }
    },

    async write(modelId, instruction, prompt, milliseconds, signal) {
      const config = { systemInstruction: instruction, temperature: 0.7 };
      const { response } = await call(
        { model: modelId, config, parts: [{ text: prompt }] },
        milliseconds,
        signal,
      );
      const parts = response.candidates?.[0]?.content?.parts ?? [];
      const text = parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
      const { promptTokenCount = 0, candidatesTokenCount = 0 } = response.usageMetadata ?? {};
      const providerCostMicros = Math.ceil(
        promptTokenCount * textDollars.input + candidatesTokenCount * textDollars.output,
      );
      return { text, providerCostMicros };
    },
  };
}

/** The image in a reply. A reply without one is still HTTP 200, in three forms, each told apart here. */
function findImage(
  response: GenerateContentResponse,
  toChunks: InlineReply['image'],
  costMicros: number,
): ImageFacts & Pick<GeneratedImage, 'chunks' | 'bytes'> {
  const blockReason = response.promptFeedback?.blockReason;
  if (blockReason) throw blocked(blockReason);
  const candidate = response.candidates?.[0];
  const parts = candidate?.content?.parts ?? [];
  const image = imagePart(parts)?.inlineData;
  if (image) {
    const chunks = toChunks(image.data);
    const facts = chunks[0] && sniffImage(chunks[0]);
    const bytes = chunks.reduce((sum, piece) => sum + piece.length, 0);
    if (facts) return { ...facts, chunks, bytes };
    throw new Failure('NO_IMAGE', 'What the model returned is not an image.', {
      providerCostMicros: costMicros,
    });
  }
  const finishReason = candidate?.finishReason ?? 'NO_CANDIDATE';
  if (blockedReasons.has(finishReason)) throw blocked(finishReason);
  const text = parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
  const words = text.trim().slice(0, modelTextCharactersMax);
  const message = words ? `The model answered without an image: ${words}` : 'The model made no image.';
  throw new Failure('NO_IMAGE', message, { metadata: { finishReason } });
}

function blocked(finishReason: string): Failure {
  return new Failure('CONTENT_BLOCKED', 'The model would not paint this. Please change the prompt.', {
    metadata: { finishReason },
  });
}

function misconfigured(cause: unknown): Failure {
  return new Failure('PROVIDER_MISCONFIGURED', 'Painting is not set up correctly on our side.', { cause });
}

/** What was seen of a response beneath the SDK. */
type Seen = { status?: number; retryAfter?: string | null };

const errorBodySchema = z.object({
  error: z.object({
    status: z.string().optional(),
    message: z.string().optional(),
    details: z
      .array(
        z.looseObject({
          reason: z.string().optional(),
          retryDelay: z.string().optional(),
          violations: z.array(z.looseObject({ quotaId: z.string().optional() })).optional(),
        }),
      )
      .optional(),
  }),
});
type ErrorBody = z.infer<typeof errorBodySchema>['error'];

/** What the SDK throws as a reason of ours. Of the vendor's own words only codes are kept: they may quote anything. */
function translate(error: unknown, seen: Seen): Failure {
  if (error instanceof DeadlinePassed) {
    const providerFailure: ProviderFailure = { kind: 'final', mayBeBilled: true };
    return new Failure('PROVIDER_TIMEOUT', 'The model took too long.', { cause: error, providerFailure });
  }
  const body = error instanceof ApiError ? parseErrorBody(error) : undefined;
  // A body that is no JSON is a SyntaxError without a status.
  const status = error instanceof ApiError ? error.status : (seen.status ?? 0);
  const { name, cause: inner } = (error ?? {}) as { name?: string; cause?: { code?: string } };
  const reason = body?.details?.find((detail) => detail.reason)?.reason;
  const facts = [status || undefined, body?.status ?? name, reason ?? inner?.code].filter(Boolean);
  const cause = new Error(`Gemini answered ${facts.join(' ')}`);
  const told = parseRetryAfter(body, seen);
  const passing: ProviderFailure = { kind: 'passing', ...told };
  switch (status) {
    case 400:
      if (reason === 'API_KEY_INVALID' || body?.status === 'FAILED_PRECONDITION') return misconfigured(cause);
      return new Failure('PROVIDER_ERROR', 'The model refused the request.', { cause });
    case 401:
    case 403:
      return misconfigured(cause);
    case 404:
      return misconfigured(cause).with({ providerFailure: { kind: 'retired' } });
    case 429:
      return quotaFailure(body, told, cause);
    case 503: {
      const details = {
        cause,
        retryAfterSeconds: 5,
        providerFailure: { ...passing, kind: 'overloaded' as const },
      };
      return new Failure('PROVIDER_OVERLOADED', 'The model is overloaded.', details);
    }
    case 504:
      return new Failure('PROVIDER_TIMEOUT', 'The model took too long.', { cause, providerFailure: passing });
    default: {
      // A 200 that broke off or made no sense has been painted, and is billed.
      const providerFailure = { ...passing, ...(status === 200 && { mayBeBilled: true }) };
      return new Failure('PROVIDER_ERROR', 'The model failed.', { cause, providerFailure });
    }
  }
}

/** A 429 by what it says is used up: the minute's quota, the day's, or the money. */
function quotaFailure(body: ErrorBody | undefined, told: { retryAfterMs?: number }, cause: Error): Failure {
  const message = body?.message ?? '';
  const quotaIds =
    body?.details?.flatMap(({ violations = [] }) => violations.map(({ quotaId }) => quotaId)) ?? [];
  const isDepleted = (body?.details ?? []).length === 0 && /prepa(id|y)|credits|billing/i.test(message);
  if (/limit: 0\b/.test(message) || isDepleted) return used({ kind: 'billing' });
  // Its RetryInfo speaks of a second, whatever is left of the day.
  if (quotaIds.some((id) => id?.includes('PerDay'))) return used({ kind: 'day' });
  const seconds = Math.max(1, Math.ceil((told.retryAfterMs ?? 60_000) / 1000));
  return used({ kind: 'minute', ...told }).with({ retryAfterSeconds: seconds });

  function used(providerFailure: ProviderFailure): Failure {
    return new Failure('PROVIDER_QUOTA', 'The model is used up for now.', { cause, providerFailure });
  }
}

/** When to ask again, as the body's RetryInfo or the header says; the longer of the two. */
function parseRetryAfter(body: ErrorBody | undefined, { retryAfter }: Seen): { retryAfterMs?: number } {
  const delay = body?.details?.find((detail) => detail.retryDelay)?.retryDelay;
  const waits = [Number.parseFloat(delay ?? ''), Number(retryAfter ?? Number.NaN)].filter((wait) => wait > 0);
  return waits.length > 0 ? { retryAfterMs: Math.ceil(Math.max(...waits) * 1000) } : {};
}

/** ApiError's message is the reply's body as text. */
function parseErrorBody(error: ApiError): ErrorBody | undefined {
  try {
    return errorBodySchema.safeParse(JSON.parse(error.message)).data?.error;
  } catch {
    return undefined; // Not JSON: a proxy's HTML page, or nothing.
  }
}
