/** Reference images in a request. */
import * as z from 'zod';
import { describe } from './describe.ts';
import { generationIdSchema } from './ids.ts';

/** The most bytes of all reference images of one request together. In base64 they stay below Gemini's 20 MB. */
export const referenceBytesMax = 14_000_000;

/** The most reference images that any model accepts. */
export const referencesMax = 14;

/** Letters that are checked at a time; a multiple of four. */
const sliceLetters = 1_000_000;

const lastFourLetters = /^[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==)$/;

/** True for base64 with padding. Megabytes are decoded and encoded far faster than a regular expression reads them. */
function isBase64(text: string): boolean {
  const end = text.length - 4;
  if (text.length % 4 !== 0 || !lastFourLetters.test(text.slice(end))) return false;
  // Padding in the middle would survive the way there and back at the end of a slice.
  if (text.slice(0, end).includes('=')) return false;
  for (let from = 0; from < end; from += sliceLetters) {
    const slice = text.slice(from, Math.min(from + sliceLetters, end));
    if (Buffer.from(slice, 'base64').toString('base64') !== slice) return false;
  }
  return true;
}

/** Image formats of phones and browsers that are never sent to a model. HEIC includes HEIF. */
export type OtherFormat = 'HEIC' | 'AVIF';

/** What is wrong with a reference in another format, and what to do. */
export const describeOtherFormat = (format: OtherFormat) =>
  `is ${format === 'AVIF' ? 'an' : 'a'} ${format} image. ${format} images are not supported: export it as JPEG`;

/** The format that the reference is declared to have, if no model is sent it. */
function getDeclaredFormat(reference: unknown): OtherFormat | undefined {
  const mimeType = String((reference as { mimeType?: unknown } | null)?.mimeType);
  if (/^image\/hei[cf]\b/i.test(mimeType)) return 'HEIC';
  return /^image\/avif\b/i.test(mimeType) ? 'AVIF' : undefined;
}

export const referenceSchema = describe(
  'A reference image: a finished generation of the caller, or an image in the request itself.',
  z.union(
    [
      z.strictObject({
        generationId: generationIdSchema,
      }),
      z.strictObject({
        mimeType: describe('The format of `data`.', z.enum(['image/png', 'image/jpeg', 'image/webp'])),
        data: describe(
          `The image in base64. Before base64, all images of a request together have at most ${referenceBytesMax / 1e6} MB.`,
          z
            .string()
            .max(Math.ceil(referenceBytesMax / 3) * 4, 'is too large')
            .refine(isBase64, 'must be base64'),
        ),
      }),
    ],
    {
      error({ input }) {
        const format = getDeclaredFormat(input);
        return format
          ? describeOtherFormat(format)
          : 'must be {"generationId"} or {"mimeType", "data"} with a PNG, JPEG or WebP in base64';
      },
    },
  ),
);
