/** What a user can do with an image, wherever it is shown. */
import type { Generation } from '../../shared/contract.ts';
import { fileName, saveBlob } from '../saveFile.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';
import { announce } from './announce.ts';
import type { PageState } from './pageState.ts';

/** Saves the original file. It is fetched first, because browsers ignore `download` on links to another origin. */
export async function download({ id, prompt, image }: Generation): Promise<void> {
  if (!image) return;
  const response = await fetch(image.url);
  if (!response.ok) throw new Error(`The image store answered ${response.status}`);
  saveBlob(await response.blob(), fileName(prompt, id, image.mimeType));
}

/** Fills the composer with the prompt and settings of the image. */
export async function reuse({ draft, memory }: PageState, generation: Generation): Promise<void> {
  draft.reuse(generation, await memory.getOwnPrompt(generation.id));
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
