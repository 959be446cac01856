/** What a user can do with an image, wherever it is shown. */
import type { GenerateInput, Generation, Image } from '../../shared/contract.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';
import { announce } from './announce.ts';
import type { Reference } from './draft.ts';
import type { PageState } from './pageState.ts';
import { getOffer, type ResolutionOffer } from './shapes.ts';

type Format = Image['mimeType'];

/** The formats that an image can be saved in, besides its own. */
export const formats: readonly Format[] = ['image/png', 'image/jpeg', 'image/webp'];

/** Of a JPEG or WebP image that the browser makes. */
const encodingQuality = 0.95;

/** Fetched first, because browsers ignore `download` on links to another origin. */
async function fetchImage({ url }: Image): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The image store answered ${response.status}`);
  return response.blob();
}

/** Saves the original file. Its content credentials are in it. */
export async function download({ id, prompt, image }: Generation): Promise<void> {
  if (image) await save(fetchImage(image), prompt, id, image.mimeType);
}

/** Saves a copy in another format. The browser makes it, so the image store keeps no copies. */
export async function downloadAs({ id, prompt, image }: Generation, format: Format): Promise<void> {
  if (image) {
    const copy = fetchImage(image).then((blob) => convert(blob, format));
    await save(copy, prompt, id, format);
  }
}

async function save(blob: Promise<Blob>, prompt: string | null, id: string, format: Format): Promise<void> {
  const [content, { saveBlob, fileName }] = await Promise.all([blob, import('../saveFile.ts')]);
  saveBlob(content, fileName(prompt, id, format));
}

/** @throws if the browser cannot make this format: it makes a PNG in its place. */
async function convert(source: Blob, format: Format): Promise<Blob> {
  const bitmap = await createImageBitmap(source);
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, format, encodingQuality));
  if (blob?.type !== format) throw new Error(`The browser cannot make ${format}`);
  return blob;
}

/** False in browsers and on addresses (plain HTTP) without a clipboard for images. */
export const canCopyImages = () => typeof ClipboardItem !== 'undefined' && 'clipboard' in navigator;

/** Copies the image as PNG, which is what every clipboard takes. */
export async function copyImage({ image }: Generation): Promise<void> {
  if (!image) return;
  const png = fetchImage(image).then((blob) =>
    blob.type === 'image/png' ? blob : convert(blob, 'image/png'),
  );
  // Safari wants the promise: after waiting for it, the click no longer counts.
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
  announce(text.gallery.imageCopied);
}

/** The ids of the gallery's images that the image was made from. */
export const listReferenceIds = ({ references = [] }: Generation): string[] =>
  references.flatMap((reference) => /^generation:(.+)$/.exec(reference)?.[1] ?? []);

/** How many references came from the user's device. They are not kept. */
export const countUploads = (generation: Generation): number =>
  (generation.references?.length ?? 0) - listReferenceIds(generation).length;

/** What another image like this one costs now, at its resolution or else the smallest. Undefined before prices are loaded. */
export function findOffer(
  { account }: PageState,
  { tier, resolution }: Generation,
): ResolutionOffer | undefined {
  const offer = account.tiers.value.find(({ id }) => id === tier);
  return offer && getOffer(offer, resolution);
}

const toSettings = ({ tier, orientation, aspectRatio }: Generation, { resolution }: ResolutionOffer) => ({
  tier,
  orientation,
  ...(aspectRatio && { aspectRatio }),
  ...(resolution !== '1K' && { resolution }),
  // The cache would answer with the image that is there.
  fresh: true,
});

/** Makes another image from the same prompt, settings and references, as far as they are kept. */
export function again(pageState: PageState, generation: Generation, offer: ResolutionOffer): void {
  const { prompt, originalPrompt, enhancedPrompt, parentId } = generation;
  const references = listReferenceIds(generation).map((generationId) => ({ generationId }));
  const request: GenerateInput = {
    prompt: prompt ?? '',
    ...toSettings(generation, offer),
    ...(originalPrompt && { originalPrompt }),
    ...(enhancedPrompt && { enhance: true }),
    ...(parentId && { editOf: parentId }),
    ...(references.length > 0 && { references }),
  };
  pageState.pendingGenerations.submit(request);
}

/** Makes an image that is this one with a change. */
export function edit(
  pageState: PageState,
  generation: Generation,
  change: string,
  offer: ResolutionOffer,
): void {
  const request = { prompt: change, editOf: generation.id, ...toSettings(generation, offer) };
  pageState.pendingGenerations.submit(request);
}

/** Fills the composer with the prompt and settings of the image, and with the images that it was made from. */
export function reuse({ draft, gallery }: PageState, generation: Generation): void {
  const { parentId } = generation;
  const ids = [...(parentId ? [parentId] : []), ...listReferenceIds(generation)];
  const references = ids.map((id): Reference => {
    const { image, prompt } = gallery.find(id) ?? {};
    return { kind: 'generation', id, previewUrl: image?.thumbnailUrl ?? '', name: prompt ?? '' };
  });
  draft.reuse(generation, references);
}

/** Makes the image a favourite, or no longer one. */
export async function toggleFavourite({ favouriteImage }: PageState, generation: Generation): Promise<void> {
  const favourite = !generation.favourite;
  try {
    await favouriteImage(generation, favourite);
    announce(favourite ? text.gallery.marked : text.gallery.unmarked);
  } catch (error) {
    announce(problemText(error));
  }
}

/** Adds the image to the references of the next one. @returns false if the model accepts no more */
export function addReference({ draft, account }: PageState, { id, prompt, image }: Generation): boolean {
  const { maxReferences } = account.limits.value ?? { maxReferences: 0 };
  const others = draft.references.value.filter((one) => one.kind !== 'generation' || one.id !== id);
  if (others.length >= maxReferences) {
    announce(text.references.tooMany(maxReferences));
    return false;
  }
  const reference = {
    kind: 'generation',
    id,
    previewUrl: image?.thumbnailUrl ?? '',
    name: prompt ?? '',
  } as const;
  draft.references.value = [...others, reference];
  announce(text.references.added(1));
  return true;
}
