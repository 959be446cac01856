import { setImmediate as letOthersRun } from 'node:timers/promises';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { createBlankPicture } from './blankPicture.ts';
import { drawCaption } from './caption.ts';
import { addNote } from './imageNote.ts';
import { encodePng } from './png.ts';
import { createRandom, type Easel } from './scenes/easel.ts';
import { finish } from './scenes/finish.ts';
import { createLight } from './scenes/light.ts';
import { weathers } from './scenes/weather.ts';
import { type Sketch, scenes } from './sketch.ts';

export type Picture = {
  sketch: Sketch;
  /** Pixels. */
  width: number;
  height: number;
  /** Small text below the prompt. */
  details: string;
  /** Encoded images, shown as thumbnails. */
  references: readonly Uint8Array[];
  mimeType: 'image/png' | 'image/jpeg';
};

const jpegQuality = 88;

/**
 * Draws a scene with the prompt as its caption. The same picture always has the same bytes. The canvas draws a layer
 * only when a pixel is read, so a read after each layer lets other requests run in between.
 */
export async function drawPicture(picture: Picture): Promise<Buffer> {
  const { sketch, width, height, mimeType } = picture;
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const unit = Math.min(width, height);
  const random = createRandom(sketch.seed);
  const light = createLight(sketch.light, sketch.hue);
  for (const _ of paintLayers({ context, width, height, unit, light, random }, sketch)) {
    context.getImageData(0, 0, 1, 1);
    await letOthersRun();
  }
  const references = await Promise.all(
    // An image that Gemini accepts but the canvas cannot read (HEIC) becomes an empty frame.
    picture.references.map((bytes) => loadImage(bytes).catch(() => undefined)),
  );
  const { prompt, parentPrompt } = sketch;
  drawCaption(context, { prompt, parentPrompt, details: picture.details, references });
  const bytes =
    mimeType === 'image/png'
      ? await encodePng(canvas.data(), width, height)
      : await canvas.encode('jpeg', jpegQuality);
  return addSketch(bytes, sketch);
}

function* paintLayers(easel: Easel, { scene, weather }: Sketch): Generator<void> {
  yield* scenes[scene].paint(easel);
  for (const name of weather) weathers[name](easel);
  yield;
  yield* finish(easel);
}

/** A picture of one colour, different for each sketch, which takes no time. */
export async function createPlainPicture({ sketch, ...picture }: Picture): Promise<Buffer> {
  return addSketch(await createBlankPicture(picture), sketch);
}

/** Writes the sketch into the picture, in ASCII. */
function addSketch(bytes: Buffer, sketch: Sketch): Buffer {
  const json = JSON.stringify(sketch).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return addNote(bytes, json);
}
