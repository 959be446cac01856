/**
 * Calls Gemini's models, each call under a hard deadline. The only file that imports their SDK.
 * Facts about the API are from Google's Gemini API reference and from the source of the SDK, version 3.1.
 */
import {
  ApiError,
  type GenerateContentResponse,
  GoogleGenAI,
  Modality,
  type Part,
  type ThinkingConfig,
  ThinkingLevel,
} from '@google/genai';
import { withDeadline } from '../core/deadline.ts';
import type { Log } from '../core/log.ts';
import { reasons } from '../errorReasons.ts';
import { Failure, toFailure } from '../errors.ts';
import type { ImageFacts } from '../images/imageFormat.ts';
import { countImageTokens, getImageCostMicros, getTextCostMicros, getTokenCostMicros } from './cost.ts';
import { misconfiguredFailure, type Received, refusesStore, toProviderFailure } from './geminiFailures.ts';
import { findImagePart, type InlineReply, readInlineReply, signatureCharactersMax } from './inlineImages.ts';
import { getImageCost, type ImageModel, type ImageShape, imageModel, isKnownModel } from './models.ts';
import { type PreviousTurn, type Reference, toContents } from './previousTurn.ts';
import { checkImage } from './usableImage.ts';

export type ImageRequest = ImageShape & {
  prompt: string;
  references: readonly Reference[];
  previousTurn?: PreviousTurn;
};

export type GeneratedImage = ImageFacts & {
  /** The model that was asked. */
  model: string;
  /** The model that answered, if Google names another: it routes some retired models to their successors. */
  modelVersion?: string;
  /** The image's bytes in order, and their number. */
  chunks: Uint8Array[];
  bytes: number;
  /** Whether the file has C2PA content credentials. */
  contentCredentials?: 'present' | 'absent';
  /** The signature of the part with the image, if it is the reply's only part and not too long to keep. */
  thoughtSignature?: string;
  /** What the provider bills for the image, micro-dollars. */
  providerCostMicros: number;
};

export type TextRequest = {
  instruction: string;
  prompt: string;
  /** The shape of the answer: a schema of the Gemini API, which is a subset of OpenAPI 3.0. */
  schema: object;
  /** Longest answer, tokens. */
  outputTokensMax: number;
};

/** `text` is JSON only if the model finished, with the reason `STOP`; even then it can have any shape. */
export type WrittenText = { text: string; finishReason: string | undefined; providerCostMicros: number };

export type Gemini = {
  /** @throws {Failure} CONTENT_BLOCKED, NO_IMAGE, PROVIDER_*, with `providerFailure` and what the provider bills. */
  generateImage(
    model: ImageModel,
    request: ImageRequest,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<GeneratedImage>;
  /** Asks a text model, with as little thinking as it allows, for an answer in JSON. @throws {Failure} PROVIDER_*. */
  write(
    modelId: string,
    request: TextRequest,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<WrittenText>;
};

/** Longest text of the model in a NO_IMAGE message, UTF-16 units. */
const modelTextCharactersMax = 300;

// Finish reasons that reject the content. Any other reason without an image is a failure of the model.
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

/** Gemini's address and credentials: an API key, or Vertex AI in a project and location. */
export type GeminiOptions = {
  projectId: string;
  gemini: {
    apiKey: string | undefined;
    baseUrl: string | undefined;
    vertexAi: boolean;
    location: string | undefined;
  };
};

type GenerateContentParameters = Parameters<GoogleGenAI['models']['generateContent']>[0];

/** @throws {Failure} PROVIDER_MISCONFIGURED without credentials. */
export function createGemini({ gemini, projectId }: GeminiOptions, log: Pick<Log, 'warning'>): Gemini {
  if (!gemini.apiKey && !gemini.vertexAi) {
    throw misconfiguredFailure(
      new Error('GEMINI_API_KEY is not set, and GOOGLE_GENAI_USE_VERTEXAI is not true'),
    );
  }
  const client = new GoogleGenAI(
    gemini.vertexAi
      ? { vertexai: true, project: projectId, location: gemini.location ?? 'global' }
      : // The SDK's default became v1 with 3.0; image generation is documented under v1beta.
        { vertexai: false, apiKey: gemini.apiKey ?? '', apiVersion: 'v1beta' },
  );

  let isStoreRefused = false;

  /**
   * Sends a request that Google must not keep: new paid projects store requests and replies for 55 days by default.
   * The SDK refuses `store` in the configuration for Vertex AI, so it goes directly into the body there. If Vertex AI
   * refuses the field, it is left out from then on.
   */
  async function send(request: GenerateContentParameters): Promise<GenerateContentResponse> {
    const { config } = request;
    if (!gemini.vertexAi) {
      return client.models.generateContent({ ...request, config: { ...config, store: false } });
    }
    if (isStoreRefused) return client.models.generateContent(request);
    try {
      const httpOptions = { ...config?.httpOptions, extraBody: { store: false } };
      return await client.models.generateContent({ ...request, config: { ...config, httpOptions } });
    } catch (error) {
      if (!(error instanceof ApiError && refusesStore(error))) throw error;
      if (!isStoreRefused) log.warning('Vertex AI refuses `store: false`; requests are sent without it');
      isStoreRefused = true;
      return client.models.generateContent(request);
    }
  }

  /**
   * Sends one request. The SDK drops the headers of a response, and its status if the body is not JSON: our `fetch`
   * records both. It also takes the images out of the body, see inlineImages.ts.
   */
  async function call(
    request: GenerateContentParameters,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<{ response: GenerateContentResponse; image: InlineReply['image'] }> {
    const received: Received = {};
    let image: InlineReply['image'] = () => [];
    const abort = new AbortController();
    const answer = send({
      ...request,
      config: {
        ...request.config,
        // Not httpOptions.timeout: the SDK sends that to the API, which refuses less than 10 s.
        abortSignal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
        httpOptions: {
          ...(gemini.baseUrl && { baseUrl: gemini.baseUrl }),
          fetch: async (input, init) => {
            const response = await fetch(input, init);
            received.status = response.status;
            received.retryAfter = response.headers.get('retry-after');
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
      if (signal?.aborted) throw error;
      if (error instanceof ApiError) {
        received.status = error.status;
        received.body = error.message;
      }
      throw toProviderFailure(error, received, request.model);
    }
  }

  /**
   * Sends a request for an image, with the previous turn if this model made it. What Google checks of a signature is not
   * documented, so a request that it refuses, or finds an unreadable image in, is sent again without the turn.
   */
  async function callWithTurn(
    params: Pick<GenerateContentParameters, 'model' | 'config'>,
    { prompt, references, previousTurn }: ImageRequest,
    milliseconds: number,
    signal: AbortSignal,
  ) {
    const plain = { ...params, contents: toContents(prompt, references) };
    if (previousTurn?.modelId !== params.model) return call(plain, milliseconds, signal);
    const contents = toContents(prompt, references, previousTurn);
    const endsAt = performance.now() + milliseconds;
    try {
      return await call({ ...params, contents }, milliseconds, signal);
    } catch (error) {
      const { reason, details } = toFailure(error);
      if (reason !== 'REFERENCE_UNREADABLE' && details.providerFailure?.kind !== 'refused') throw error;
      log.warning('A model refuses its previous turn; it is asked without it', { model: params.model });
      return call(plain, Math.max(1, endsAt - performance.now()), signal);
    }
  }

  return {
    async generateImage(model, request, milliseconds, signal) {
      const { aspectRatio, resolution } = request;
      const config = {
        responseModalities: [Modality.IMAGE],
        imageConfig: { aspectRatio, ...(model.takesImageSize && { imageSize: resolution }) },
      };
      try {
        const { response, image } = await callWithTurn(
          { model: model.id, config },
          request,
          milliseconds,
          signal,
        );
        return toGeneratedImage(model, { aspectRatio, resolution }, response, image);
      } catch (error) {
        const isPriced = !(error instanceof Failure) || error.details.providerCostMicros !== undefined;
        if (isPriced || !error.details.providerFailure?.mayBeBilled) throw error;
        throw error.with({ providerCostMicros: getImageCost(model, resolution) });
      }
    },

    async write(modelId, { instruction, prompt, schema, outputTokensMax }, milliseconds, signal) {
      const config = {
        systemInstruction: instruction,
        responseMimeType: 'application/json',
        responseSchema: schema,
        maxOutputTokens: outputTokensMax,
        thinkingConfig: getLeastThinking(modelId),
      };
      const { response } = await call(
        { model: modelId, config, contents: [{ role: 'user', parts: [{ text: prompt }] }] },
        milliseconds,
        signal,
      );
      const candidate = response.candidates?.[0];
      const parts = candidate?.content?.parts ?? [];
      const text = parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
      const providerCostMicros = getTextCostMicros(response.usageMetadata, modelId);
      return { text, finishReason: candidate?.finishReason, providerCostMicros };
    },
  };
}

/**
 * The least thinking of a text model. Models of version 2.5 have a budget, which is at least 128 tokens for Pro. Later
 * ones have levels instead, and only Flash-Lite has the lowest: Gemini 3.5 Flash-Lite refuses a budget of 0.
 */
function getLeastThinking(modelId: string): ThinkingConfig {
  if (modelId.includes('gemini-2.5-pro')) return { thinkingBudget: 128 };
  if (modelId.includes('gemini-2.')) return { thinkingBudget: 0 };
  return { thinkingLevel: modelId.includes('flash-lite') ? ThinkingLevel.MINIMAL : ThinkingLevel.LOW };
}

/** @throws {Failure} as `findImage`, with what the reply costs and what it means for the model. */
function toGeneratedImage(
  model: ImageModel,
  shape: ImageShape,
  response: GenerateContentResponse,
  image: InlineReply['image'],
): GeneratedImage {
  const { usageMetadata: usage } = response;
  const modelVersion = response.modelVersion?.replace(/^.*\//, '') || model.id;
  const answering = isKnownModel(modelVersion) ? imageModel(modelVersion) : model;
  try {
    return {
      ...findImage(response, image, model, shape),
      model: model.id,
      ...(modelVersion !== model.id && { modelVersion }),
      providerCostMicros: getImageCostMicros(usage, answering, shape.resolution),
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { providerFailure, metadata } = error.details;
    // An image was generated, although it cannot be delivered.
    const imageMicros = providerFailure?.mayBeBilled
      ? getImageCostMicros(usage, answering, shape.resolution)
      : 0;
    const tokenCostMicros = getTokenCostMicros(usage, answering.tokenMicros);
    const isUnusable =
      error.reason === 'NO_IMAGE' && !(metadata?.finishReason === 'STOP' && hasText(response));
    const kind = providerFailure?.kind ?? (isUnusable ? 'unusable' : 'final');
    const hasImage = imageMicros > 0 || countImageTokens(usage) > 0;
    throw error.with({
      providerCostMicros: Math.max(imageMicros, tokenCostMicros),
      providerFailure: { ...providerFailure, kind, ...(hasImage && { mayBeBilled: true }) },
    });
  }
}

/** Whether the model says something in place of an image. The user sees it, so no other model is asked. */
const hasText = (response: GenerateContentResponse) =>
  (response.candidates?.[0]?.content?.parts ?? []).some(({ text, thought }) => text?.trim() && !thought);

/**
 * Finds the image in a reply, and checks that it is what was requested.
 * @throws {Failure} CONTENT_BLOCKED for a blocked prompt or image, NO_IMAGE for any other reply; all are HTTP 200.
 */
function findImage(
  response: GenerateContentResponse,
  toChunks: InlineReply['image'],
  model: ImageModel,
  shape: ImageShape,
): ImageFacts & Pick<GeneratedImage, 'chunks' | 'bytes' | 'contentCredentials' | 'thoughtSignature'> {
  const blockReason = response.promptFeedback?.blockReason;
  if (blockReason) throw blockedFailure(blockReason);
  const candidate = response.candidates?.[0];
  const parts = candidate?.content?.parts ?? [];
  const image = findImagePart(parts, candidate?.finishReason)?.inlineData;
  if (image) {
    const chunks = toChunks(image.data);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return { ...checkImage(chunks, model, shape), ...findSignature(parts), chunks, bytes };
  }
  const finishReason = candidate?.finishReason ?? 'NO_CANDIDATE';
  if (blockedReasons.has(finishReason)) throw blockedFailure(finishReason);
  const text = parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
  // A cut may leave half of an emoji, which is not Unicode.
  const words = text
    .trim()
    .slice(0, modelTextCharactersMax)
    .replace(/\p{Surrogate}/gu, '');
  const message = words ? `The model answered without an image: ${words}` : reasons.NO_IMAGE.message;
  throw new Failure('NO_IMAGE', message, { metadata: { finishReason } });
}

/** The signature of the image, if the reply has nothing else that belongs to the turn. */
function findSignature(parts: readonly Part[]): Pick<GeneratedImage, 'thoughtSignature'> {
  const [part, ...others] = parts.filter(({ thought }) => !thought);
  const signature = part?.thoughtSignature;
  const isKept = others.length === 0 && signature && signature.length <= signatureCharactersMax;
  return isKept ? { thoughtSignature: signature } : {};
}

function blockedFailure(finishReason: string): Failure {
  return new Failure('CONTENT_BLOCKED', reasons.CONTENT_BLOCKED.message, {
    metadata: { finishReason },
  });
}
