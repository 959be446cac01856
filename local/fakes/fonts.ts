import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

const fontFile = (name: string) => createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`);

/** Registers fonts from files, so that a picture looks the same on a machine without fonts. @returns their names */
export function registerFonts() {
  const names = { bold: 'Fake Bold', regular: 'Fake Regular' } as const;
  GlobalFonts.registerFromPath(fontFile('DejaVuSans-Bold'), names.bold);
  GlobalFonts.registerFromPath(fontFile('DejaVuSans'), names.regular);
  return names;
}
