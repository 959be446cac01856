import { imageSize } from 'image-size';
import { apiKeyInvalid, googleError, modelNotFound, modelRetired, unreadableImage } from './geminiFaults.ts';
import { geminiModels, type ImageModel, retiredModels, type TextModel } from './geminiModels.ts';
import { findProblems, toCamelCaseFields } from './geminiShape.ts';
import type { Reply } from './server.ts';

/** Google's documentation: "An inline request is capped at 20 MB". */
export const bodyBytesMax = 20 * 1024 * 1024;
const serverTimeoutSecondsMin = 10;
const textMimeTypes = [
  'text/plain',
  'application/json',
  'application/xml',
  'application/yaml',
  'text/x.enum',
];
const imageMimeTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'];

/** A valid request. */
export type ParsedRequest = {
  model: ImageModel | TextModel;
  /** The whole text of the last user turn. */
  prompt: string;
  references: Buffer[];
  /** The reference that may be the image to edit: the model's own last one, else the first. */
  parent: Buffer | undefined;
  aspectRatio: string | undefined;
  imageSize: string | undefined;
  wantsText: boolean;
  wantsImage: boolean;
  hasSystemInstruction: boolean;
  maxOutputTokens: number | undefined;
  /** The shape of a JSON answer, if one was requested. */
  responseSchema: ResponseSchema | undefined;
};

/** The Gemini API's subset of an OpenAPI 3.0 schema, as far as the fake answers by it. */
export type ResponseSchema = {
  type?: string;
  properties?: Record<string, ResponseSchema>;
  items?: ResponseSchema;
};

type Content = {
  role?: string;
  parts?: { text?: string; inlineData?: { mimeType?: string; data?: string } }[] | null;
};
type Body = {
  contents?: Content[];
  systemInstruction?: Content;
  store?: boolean;
  generationConfig?: {
    responseModalities?: string[];
    imageConfig?: { aspectRatio?: string; imageSize?: string };
    candidateCount?: number;
    maxOutputTokens?: number;
    responseMimeType?: string;
    responseSchema?: ResponseSchema;
    thinkingConfig?: { thinkingBudget?: number; thinkingLevel?: string };
  };
};

const invalidArgument = (message: string) => googleError(400, 'INVALID_ARGUMENT', message);
const inRequest = (field: string, problem: string) =>
  invalidArgument(`* GenerateContentRequest.${field}: ${problem}\n`);

/** Checks the headers, before the body. */
export function refuseCaller(
  headers: { key: string | undefined; serverTimeout: string | undefined },
  apiKey: string,
): Reply | undefined {
  if (headers.key !== apiKey) return apiKeyInvalid();
  const seconds = Number(headers.serverTimeout ?? serverTimeoutSecondsMin);
  if (seconds < serverTimeoutSecondsMin) {
    return invalidArgument(
      `Manually set deadline ${seconds}s is too short. Minimum allowed deadline is ${serverTimeoutSecondsMin}s.`,
    );
  }
  return undefined;
}

/** Parses JSON, or returns the refusal. `bytes` is undefined if the body was too large. */
export function parseBody(bytes: Buffer | undefined): { body: unknown } | { refusal: Reply } {
  if (bytes === undefined) {
    return { refusal: invalidArgument(`Request payload size exceeds the limit: ${bodyBytesMax} bytes.`) };
  }
  try {
    return { body: JSON.parse(bytes.toString('utf8')) };
  } catch {
    const start = bytes.subarray(0, 60).toString('utf8');
    return { refusal: invalidArgument(`Invalid JSON payload received. Unexpected token.\n${start}\n^`) };
  }
}

/** Parses a request, or returns the real service's refusal. */
export function parseRequest(
  modelId: string,
  version: string,
  json: unknown,
): ParsedRequest | { refusal: Reply } {
  if (retiredModels.some((pattern) => pattern.test(modelId))) return { refusal: modelRetired(modelId) };
  const model = Object.hasOwn(geminiModels, modelId) ? geminiModels[modelId] : undefined;
  if (model === undefined) return { refusal: modelNotFound(modelId, version) };
  const problems = findProblems(json);
  if (problems.length > 0) {
    const message = problems.map((problem) => problem.description).join('\n');
    return {
      refusal: googleError(400, 'INVALID_ARGUMENT', message, [
        { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: problems },
      ]),
    };
  }
  const body = toCamelCaseFields(json ?? {}) as Body;
  const refusal = refuseContents(body.contents) ?? refuseConfig(modelId, model, body) ?? refuseStore(body);
  if (refusal !== undefined) return { refusal };
  return toParsedRequest(model, body);
}

/**
 * Google stores requests and replies of new paid projects unless the request says `store: false`. The fake refuses such
 * a request, in Google's form, so that a test fails where a prompt would be kept.
 */
function refuseStore({ store }: Body): Reply | undefined {
  return store === false ? undefined : inRequest('store', 'store must be false, or the request is kept.');
}

function refuseContents(contents: Content[] | undefined): Reply | undefined {
  if (!contents?.length) return inRequest('contents', 'contents is not specified');
  for (const [index, content] of contents.entries()) {
    if (content.role !== undefined && content.role !== 'user' && content.role !== 'model') {
      return invalidArgument('Please use a valid role: user, model.');
    }
    if (!content.parts?.length) {
      return inRequest(`contents[${index}].parts`, 'contents.parts must not be empty.');
    }
    for (const [place, part] of content.parts.entries()) {
      const refusal = refusePart(part, `contents[${index}].parts[${place}]`);
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

function refusePart(part: Record<string, unknown>, path: string): Reply | undefined {
  const inline = part.inlineData as { mimeType?: string; data?: string } | undefined;
  const data = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'];
  const kindCount = data.filter((name) => part[name] !== undefined && part[name] !== null).length;
  if (kindCount === 0) {
    return inRequest(`${path}.data`, "required oneof field 'data' must have one initialized field");
  }
  if (kindCount > 1) {
    return invalidArgument(`Invalid value at '${path}' (oneof), oneof field 'data' is already set.`);
  }
  if (!inline) return undefined;
  if (!inline.mimeType) return inRequest(`${path}.inline_data.mime_type`, 'mime_type must not be empty');
  if (!imageMimeTypes.includes(inline.mimeType)) {
    return invalidArgument(`Unsupported MIME type: ${inline.mimeType}`);
  }
  try {
    imageSize(Buffer.from(inline.data ?? '', 'base64'));
    return undefined;
  } catch {
    return unreadableImage();
  }
}

function refuseConfig(modelId: string, model: ImageModel | TextModel, body: Body): Reply | undefined {
  const config = body.generationConfig ?? {};
  const modalities = config.responseModalities ?? [];
  const hasUnsupported = modalities.some(
    (name) => name === 'AUDIO' || (name === 'IMAGE' && model.kind === 'text'),
  );
  if (hasUnsupported) {
    return invalidArgument(
      `The requested combination of response modalities (${modalities.join(', ')}) is not supported by the model. models/${modelId} accepts the following combination of response modalities:\n* TEXT${model.kind === 'image' ? '\n* IMAGE, TEXT' : ''}\n`,
    );
  }
  const refusal = refuseJson(model, config);
  if (refusal !== undefined) return refusal;
  if (model.kind === 'text') {
    return config.imageConfig
      ? invalidArgument('Image generation is not enabled for this model.')
      : refuseThinking(model, config.thinkingConfig);
  }
  if ((config.candidateCount ?? 1) !== 1) {
    return invalidArgument('Multiple candidates is not enabled for this model');
  }
  return refuseImageConfig(model, config.imageConfig) ?? refuseReferenceCount(model, body.contents ?? []);
}

function refuseThinking(
  { thinking }: TextModel,
  { thinkingBudget, thinkingLevel }: { thinkingBudget?: number; thinkingLevel?: string } = {},
): Reply | undefined {
  if (thinking === 'level' && thinkingBudget === 0) {
    return invalidArgument('Budget 0 is invalid. This model only works in thinking mode.');
  }
  return thinking === 'budget' && thinkingLevel !== undefined
    ? invalidArgument('Thinking level is not supported for this model.')
    : undefined;
}

function refuseJson(
  model: ImageModel | TextModel,
  { responseMimeType = 'text/plain', responseSchema }: NonNullable<Body['generationConfig']>,
): Reply | undefined {
  const path = 'generation_config';
  if (!textMimeTypes.includes(responseMimeType)) {
    const allowed = textMimeTypes.map((type) => `\`${type}\``).join(', ');
    return inRequest(`${path}.response_mime_type`, `allowed mimetypes are ${allowed}.`);
  }
  if (responseSchema && responseMimeType === 'text/plain') {
    return inRequest(`${path}.response_schema`, 'only allowed with a response_mime_type of JSON or enum.');
  }
  const isJson = responseMimeType === 'application/json';
  return isJson && model.kind === 'image'
    ? invalidArgument('JSON mode is not enabled for this model')
    : undefined;
}

function refuseImageConfig(
  model: ImageModel,
  config: { aspectRatio?: string; imageSize?: string } = {},
): Reply | undefined {
  const path = 'generation_config.image_config';
  if (config.aspectRatio !== undefined && !model.ratios.includes(config.aspectRatio)) {
    const allowed = model.ratios.map((ratio) => `'${ratio}'`).join(', ');
    return inRequest(`${path}.aspect_ratio`, `aspect_ratio must be one of ${allowed}.`);
  }
  if (config.imageSize === undefined || model.sizes.includes(config.imageSize)) return undefined;
  if (model.sizes.length === 0) {
    return inRequest(`${path}.image_size`, 'image_size is not supported for this model.');
  }
  const allowed = model.sizes.map((size) => `'${size}'`).join(', ');
  return inRequest(`${path}.image_size`, `image_size must be one of ${allowed}.`);
}

const getImages = (contents: readonly Content[]) =>
  contents.flatMap((content) => content.parts ?? []).flatMap((part) => part.inlineData?.data ?? []);

function refuseReferenceCount(model: ImageModel, contents: readonly Content[]): Reply | undefined {
  const count = getImages(contents).length;
  if (count <= model.referencesMax) return undefined;
  return invalidArgument(
    `The number of input images (${count}) exceeds the maximum supported by the model (${model.referencesMax}).`,
  );
}

function toParsedRequest(model: ImageModel | TextModel, body: Body): ParsedRequest {
  const config = body.generationConfig ?? {};
  const contents = body.contents ?? [];
  const last = contents.findLast((content) => content.role !== 'model');
  const references = contents.map((content) => ({
    role: content.role,
    images: getImages([content]).map((data) => Buffer.from(data, 'base64')),
  }));
  const ownImages = references.filter(({ role }) => role === 'model').flatMap(({ images }) => images);
  const allImages = references.flatMap(({ images }) => images);
  // By default, image models answer with text and an image.
  const modalities = config.responseModalities ?? (model.kind === 'image' ? ['TEXT', 'IMAGE'] : ['TEXT']);
  return {
    model,
    prompt: (last?.parts ?? []).flatMap((part) => part.text ?? []).join('\n'),
    references: allImages,
    parent: ownImages.at(-1) ?? allImages[0],
    aspectRatio: config.imageConfig?.aspectRatio,
    imageSize: config.imageConfig?.imageSize,
    wantsText: modalities.includes('TEXT'),
    wantsImage: modalities.includes('IMAGE'),
    hasSystemInstruction: Boolean(body.systemInstruction?.parts?.length),
    maxOutputTokens: config.maxOutputTokens,
    responseSchema: config.responseSchema,
  };
}
