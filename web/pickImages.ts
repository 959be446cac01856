/** Reads reference images from the user's files, and checks them before anything is sent. */
import type { Image, Limits } from '../shared/contract.ts';
import { imageFiles } from './strings/en/imageFiles.ts';
import { text } from './strings/en.ts';

type ImageType = Image['mimeType'];

/**
 * @property data base64
 * @property bytes size of the file
 * @property previewUrl an object URL; revoke it when the image is removed
 */
export type PickedImage = {
  name: string;
  mimeType: ImageType;
  data: string;
  bytes: number;
  previewUrl: string;
};

/** How many images, and how many bytes of files, the model still accepts. */
type Room = { images: number; bytes: number };

/** Returns the usable images, and one message per problem with the other files. */
export async function pickImages(files: readonly File[], room: Room, limits: Limits) {
  const images: PickedImage[] = [];
  const problems: string[] = [];
  let { images: imagesLeft, bytes: bytesLeft } = room;
  for (const file of files) {
    const problem =
      imagesLeft < 1
        ? text.references.tooMany(limits.maxReferences)
        : await findProblem(file, bytesLeft, limits);
    if (problem !== undefined) {
      if (!problems.includes(problem)) problems.push(problem);
      continue;
    }
    images.push(await readImage(file));
    imagesLeft -= 1;
    bytesLeft -= file.size;
  }
  return { images, problems };
}

async function findProblem(file: File, bytesLeft: number, limits: Limits): Promise<string | undefined> {
  if (file.size > bytesLeft) {
    const megabytes = Math.floor(limits.maxReferenceBytes / 1e6);
    return imageFiles.tooLarge(file.name, megabytes);
  }
  if ((await detectType(file)) === undefined) return describeOtherFile(file);
  return (await canDecode(file)) ? undefined : imageFiles.damaged(file.name);
}

async function describeOtherFile(file: File): Promise<string> {
  const head = await readHead(file);
  // Phones write HEIC, browsers AVIF. The server refuses them too.
  if (/^.{4}ftyp(hei[cxms]|hev[cx]|m[is]f1)/s.test(head)) {
    return imageFiles.heic(file.name);
  }
  if (/^.{4}ftypavi[fs]/s.test(head)) {
    return imageFiles.avif(file.name);
  }
  return imageFiles.otherType(file.name);
}

/** The first bytes of a file, each as one character. */
async function readHead(file: Blob): Promise<string> {
  return String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
}

/** Detects the type from the first bytes; the name of a file proves nothing. */
async function detectType(file: Blob): Promise<ImageType | undefined> {
  const head = await readHead(file);
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'image/webp' : undefined;
}

async function canDecode(file: Blob): Promise<boolean> {
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return false;
  }
}

async function readImage(file: File): Promise<PickedImage> {
  const mimeType = (await detectType(file)) ?? 'image/png';
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  const data = url.slice(url.indexOf(',') + 1);
  return { name: file.name, mimeType, data, bytes: file.size, previewUrl: URL.createObjectURL(file) };
}
