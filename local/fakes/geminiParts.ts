/** The parts of a valid request's answer: an image, or the text of a text model. */
import { createBlankPicture } from './blankPicture.ts';
import type { ParsedRequest, ResponseSchema } from './geminiCheck.ts';
import type { BlankStep, Part } from './geminiFaults.ts';
import { getPixels, type ImageModel } from './geminiModels.ts';
import { findNote } from './imageNote.ts';
import { createPlainPicture, drawPicture, type Picture } from './picture.ts';
import { createSketch, parseSketch, type Sketch } from './sketch.ts';

export const charactersPerToken = 4;
/** How many prompts the fake remembers, to draw each differently the next time. */
const promptsMax = 1000;

/** Counts how often the same prompt, or the same change of the same image, came before. */
function createPromptCounter() {
  const counts = new Map<string, number>();
  return (prompt: string, parent?: Sketch): number => {
    const key = JSON.stringify([prompt, parent]);
    const count = counts.get(key) ?? 0;
    counts.delete(key);
    counts.set(key, count + 1);
    if (counts.size > promptsMax) counts.delete(counts.keys().next().value ?? '');
    return count;
  };
}

/** Makes the function that answers requests. */
export function createPartsFactory(drawsScenes = false) {
  const draw = drawsScenes ? drawPicture : createPlainPicture;
  const countPrompt = drawsScenes ? createPromptCounter() : () => 0;
  return (modelId: string, request: ParsedRequest, drafts: number): Promise<Part[]> =>
    createParts(modelId, request, { drafts, countPrompt, draw });
}

async function createParts(
  modelId: string,
  parsedRequest: ParsedRequest,
  {
    drafts,
    countPrompt,
    draw,
  }: {
    drafts: number;
    countPrompt: (prompt: string, parent?: Sketch) => number;
    draw: (picture: Picture) => Promise<Buffer>;
  },
): Promise<Part[]> {
  const { model, prompt, aspectRatio = '1:1', imageSize, references, parent } = parsedRequest;
  if (model.kind === 'text') return [{ text: createText(parsedRequest) }];
  if (!parsedRequest.wantsImage) return [{ text: `A picture of ${prompt}` }];
  const parentSketch = parent && parseSketch(findNote(parent));
  const sketch = createSketch(prompt, countPrompt(prompt, parentSketch), parentSketch);
  const createImagePart = async (drawn: Sketch): Promise<Part> => {
    const bytes = await draw({
      ...getPixels(model, aspectRatio, imageSize),
      sketch: drawn,
      details: [modelId, aspectRatio, ...(imageSize ? [imageSize] : [])].join(' · '),
      // The picture itself shows the parent.
      references: parentSketch === undefined ? references : references.filter((each) => each !== parent),
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

/** The image of a scripted step, in one colour. */
export async function createBlankPart(
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
