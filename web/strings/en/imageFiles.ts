/** Why a file is no reference image. Loaded with the first file. */
import { number } from '../format.ts';

export const imageFiles = {
  tooLarge: (name: string, megabytes: number) =>
    `“${name}” is too large. All references together may have ${number(megabytes)} MB.`,
  damaged: (name: string) => `“${name}” is damaged and cannot be opened.`,
  heic: (name: string) => `“${name}” is a HEIC image, which is not supported. Export it as JPEG.`,
  avif: (name: string) => `“${name}” is an AVIF image, which is not supported. Export it as JPEG.`,
  otherType: (name: string) => `“${name}” is not a PNG, JPEG or WebP image.`,
};
