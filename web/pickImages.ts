/** Reference images from the user's files, checked before anything is sent. */
import type { Limits } from '../shared/contract.ts';

export const imageTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
type ImageType = (typeof imageTypes)[number];

/** @property data base64. @property bytes of the file. @property previewUrl an object URL, to be revoked. */
export type PickedImage = {
  name: string;
  mimeType: ImageType;
  data: string;
  bytes: number;
  previewUrl: string;
};

/** The room that is left for more. */
type Room = { images: number; bytes: number };

export function roomLeft(limits: Limits, count: number, bytes: number): Room {
  return { images: limits.maxReferences - count, bytes: limits.maxReferenceBytes - bytes };
}

/** What is taken of the files, and a sentence for each that is not. */
export async function pickImages(files: readonly File[], room: Room, limits: Limits) {
  const picked: PickedImage[] = [];
  const refused: string[] = [];
  let { images, bytes } = room;
  for (const file of files) {
    const problem = images < 1 ? tooMany(limits) : await findProblem(file, bytes, limits);
    if (problem !== undefined) {
      if (!refused.includes(problem)) refused.push(problem);
      continue;
    }
    picked.push(await read(file));
    images -= 1;
    bytes -= file.size;
  }
  return { picked, refused };
}

const tooMany = ({ maxReferences }: Limits) =>
  `This model takes at most ${maxReferences} reference ${maxReferences === 1 ? 'image' : 'images'}.`;

async function findProblem(file: File, bytesLeft: number, limits: Limits): Promise<string | undefined> {
  if (file.size > bytesLeft) {
    const megabytes = Math.floor(limits.maxReferenceBytes / 1e6);
    return `“${file.name}” is too large: the references may have ${megabytes} MB in all.`;
  }
  if ((await sniff(file)) === undefined) return `“${file.name}” is not a PNG, JPEG or WebP image.`;
  return (await canBeDrawn(file)) ? undefined : `“${file.name}” is damaged: it cannot be opened.`;
}

/** The type that the bytes have, whatever the file is called. */
async function sniff(file: Blob): Promise<ImageType | undefined> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...head);
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  return text.startsWith('RIFF') && text.endsWith('WEBP') ? 'image/webp' : undefined;
}

async function canBeDrawn(file: Blob): Promise<boolean> {
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return false;
  }
}

async function read(file: File): Promise<PickedImage> {
  const mimeType = (await sniff(file)) ?? 'image/png';
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  const data = url.slice(url.indexOf(',') + 1);
  return { name: file.name, mimeType, data, bytes: file.size, previewUrl: URL.createObjectURL(file) };
}
