/** What a user can do with several images at once. */
import { chooseFile } from '../saveFile.ts';
import { selecting as selectingText } from '../strings/en/selecting.ts';
import { announce } from './announce.ts';
import type { PageState } from './pageState.ts';

const zipName = 'nano-banana-studio-images.zip';

/** Marks the selected images, or takes the marks away if all have one. */
export async function favouriteSelected({ selection, favouriteImage }: PageState): Promise<void> {
  const images = selection.selected.value;
  const favourite = !images.every((one) => one.favourite);
  const changed = images.filter((one) => one.favourite !== favourite);
  const { done, failed } = await selection.forEach(changed, (one) => favouriteImage(one, favourite));
  if (failed > 0) announce(selectingText.notAll(failed));
  else announce(favourite ? selectingText.marked(done) : selectingText.unmarked(done));
}

/** Deletes the selected images permanently. Those that could not be deleted stay selected. @returns how many these are */
export async function deleteSelected({ selection, deleteImage }: PageState): Promise<number> {
  const images = selection.selected.value;
  const { done, failed } = await selection.forEach(images, ({ id }) => deleteImage(id));
  if (failed > 0) return failed;
  if (done === images.length) selection.clear();
  announce(selectingText.deleted(done));
  return 0;
}

/** Saves the selected images as one ZIP file. Must be called in the handler of a click. */
export async function downloadSelected({ selection }: PageState): Promise<void> {
  const images = selection.selected.value;
  const save = await chooseFile(zipName, 'application/zip');
  if (!save) return;
  await selection.run(images.length, async (signal, onProgress) => {
    const { createImageZip } = await import('../exportZip.ts');
    const { stream, missing } = createImageZip(images, { signal, onProgress });
    await save(stream, signal);
    if (missing.length > 0) announce(selectingText.missing(missing.length));
    else announce(selectingText.downloaded(images.length));
  });
}
