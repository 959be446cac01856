import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  type Canvas,
  createCanvas,
  GlobalFonts,
  type Image,
  loadImage,
  type SKRSContext2D,
} from '@napi-rs/canvas';
import { encodePng } from './png.ts';

export type Picture = {
  prompt: string;
  /** Pixels. */
  width: number;
  height: number;
  /** Small text in the corner. */
  caption: string;
  /** Encoded images, shown as thumbnails. */
  references: readonly Uint8Array[];
  mimeType: 'image/png' | 'image/jpeg';
};

// Fonts from files, so that a picture looks the same on a machine without fonts.
const fontFile = (name: string) => createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`);
const headingFont = 'Fake Heading';
const captionFont = 'Fake Caption';
GlobalFonts.registerFromPath(fontFile('DejaVuSans-Bold'), headingFont);
GlobalFonts.registerFromPath(fontFile('DejaVuSans'), captionFont);

const jpegQuality = 88;
/** The background is drawn at this fraction of the size and enlarged, which blurs it and is faster. */
const backgroundScale = 1 / 8;

/**
 * Draws the prompt as readable text over colours that depend on it. The same picture always has the same bytes, and
 * two prompts look clearly different. Takes about 55 ms for 1344x768.
 */
export async function drawPicture(picture: Picture): Promise<Buffer> {
  const canvas = createCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  const random = randomFrom(picture.prompt);
  drawBackground(context, picture, random);
  const references = await Promise.all(
    // An image that Gemini accepts but the canvas cannot read (HEIC) becomes an empty frame.
    picture.references.map((bytes) => loadImage(bytes).catch(() => undefined)),
  );
  const unit = Math.min(picture.width, picture.height);
  drawPrompt(context, picture, unit, references.length > 0);
  drawReferences(context, picture, unit, references);
  drawCaption(context, picture, unit);
  return picture.mimeType === 'image/png'
    ? encodePng(canvas.data(), picture.width, picture.height)
    : canvas.encode('jpeg', jpegQuality);
}

/** The Mulberry32 generator, seeded by the text: numbers in [0, 1). */
function randomFrom(text: string): () => number {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function drawBackground(context: SKRSContext2D, { width, height }: Picture, random: () => number): void {
  const small = createCanvas(Math.ceil(width * backgroundScale), Math.ceil(height * backgroundScale));
  const smallContext = small.getContext('2d');
  const hue = random() * 360;
  const colour = (shift: number, saturation: number, lightness: number, alpha = 1) =>
    `hsla(${(hue + shift) % 360}, ${saturation}%, ${lightness}%, ${alpha})`;
  const sky = smallContext.createLinearGradient(0, 0, small.width * (0.3 + 0.7 * random()), small.height);
  sky.addColorStop(0, colour(0, 62, 30));
  sky.addColorStop(0.55, colour(38, 60, 40));
  sky.addColorStop(1, colour(80, 64, 52));
  smallContext.fillStyle = sky;
  smallContext.fillRect(0, 0, small.width, small.height);
  const reach = Math.max(small.width, small.height);
  for (const shift of [-40, 25, 60, 110, 150, 200]) {
    const x = random() * small.width;
    const y = random() * small.height;
    const radius = reach * (0.18 + 0.3 * random());
    const glow = smallContext.createRadialGradient(x, y, 0, x, y, radius);
    glow.addColorStop(0, colour(shift, 75, 62, 0.55));
    glow.addColorStop(1, colour(shift, 75, 62, 0));
    smallContext.fillStyle = glow;
    smallContext.fillRect(0, 0, small.width, small.height);
  }
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, 0, 0, width, height);
  drawBubbles(context, { width, height }, random);
}

/** Draws a few transparent discs with sharp edges, so that the picture has shapes. */
function drawBubbles(
  context: SKRSContext2D,
  { width, height }: { width: number; height: number },
  random: () => number,
) {
  const unit = Math.min(width, height);
  for (let count = 0; count < 5; count += 1) {
    context.beginPath();
    context.arc(random() * width, random() * height, unit * (0.06 + 0.2 * random()), 0, Math.PI * 2);
    context.fillStyle = `rgba(255, 255, 255, ${0.05 + 0.07 * random()})`;
    context.fill();
    context.strokeStyle = 'rgba(255, 255, 255, 0.14)';
    context.lineWidth = unit / 400;
    context.stroke();
  }
}

function drawPrompt(context: SKRSContext2D, picture: Picture, unit: number, aboveReferences: boolean): void {
  const bottom = picture.height * (aboveReferences ? 0.7 : 0.9);
  const top = picture.height * 0.08;
  const { lines, size } = fitText(context, picture.prompt, picture.width * 0.84, bottom - top, unit);
  const lineHeight = size * 1.25;
  const first = (top + bottom) / 2 - ((lines.length - 1) * lineHeight) / 2;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `${size}px "${headingFont}"`;
  // A dark copy, slightly offset, is readable on any colour and takes a tenth of the time of a blurred shadow.
  for (const [colour, offset] of [
    ['rgba(10, 12, 40, 0.5)', Math.max(1, size / 22)],
    ['#ffffff', 0],
  ] as const) {
    context.fillStyle = colour;
    lines.forEach((line, index) => {
      context.fillText(line, picture.width / 2 + offset, first + index * lineHeight + offset);
    });
  }
}

/** Finds the largest font size (pixels) at which the text fits the box. At the smallest size, the rest is cut off. */
function fitText(context: SKRSContext2D, text: string, width: number, height: number, unit: number) {
  // Start near the size at which the letters (about 0.7 wide and 1.25 high) fill the box.
  const filling = Math.sqrt((width * height) / (0.7 * 1.25 * text.length)) * 1.15;
  for (
    let size = Math.round(Math.min(unit / 9, Math.max(filling, unit / 45)));
    ;
    size = Math.floor(size * 0.88)
  ) {
    context.font = `${size}px "${headingFont}"`;
    const lines = wrap(context, text, width);
    const linesMax = Math.max(1, Math.floor(height / (size * 1.25)));
    if (lines.length <= linesMax) return { lines, size };
    if (size <= unit / 45) return { lines: [...lines.slice(0, linesMax - 1), '…'], size };
  }
}

function wrap(context: SKRSContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((whole) => breakWord(context, whole, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** Breaks a word that is longer than a line, such as a URL or Chinese text. */
function breakWord(context: SKRSContext2D, word: string, width: number): string[] {
  if (context.measureText(word).width <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && context.measureText(piece + character).width > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}

function drawReferences(
  context: SKRSContext2D,
  picture: Picture,
  unit: number,
  references: readonly (Image | undefined)[],
): void {
  const gap = unit * 0.02;
  const side = Math.min(unit * 0.18, (picture.width * 0.9) / Math.max(1, references.length) - gap);
  const left = (picture.width - references.length * (side + gap) + gap) / 2;
  references.forEach((image, index) => {
    const x = left + index * (side + gap);
    const y = picture.height * 0.9 - side;
    context.save();
    context.beginPath();
    context.roundRect(x, y, side, side, side * 0.12);
    context.clip();
    if (image) drawCover(context, image, { x, y, width: side, height: side });
    context.restore();
    context.strokeStyle = 'rgba(255, 255, 255, 0.9)';
    context.lineWidth = side / 32;
    context.stroke();
  });
}

function drawCaption(context: SKRSContext2D, { width, height, caption }: Picture, unit: number): void {
  const size = Math.max(9, unit / 48);
  context.font = `${size}px "${captionFont}"`;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const pad = size * 0.8;
  const boxWidth = context.measureText(caption).width + 2 * pad;
  const x = width - boxWidth - size;
  const y = height - size * 3;
  context.beginPath();
  context.roundRect(x, y, boxWidth, size * 2, size);
  context.fillStyle = 'rgba(10, 12, 40, 0.45)';
  context.fill();
  context.fillStyle = 'rgba(255, 255, 255, 0.92)';
  context.fillText(caption, width - size - pad, y + size);
}

type Box = { x: number; y: number; width: number; height: number };

/** Fills the box with the centre of the image, as CSS `object-fit: cover` does. */
export function drawCover(context: SKRSContext2D, image: Image | Canvas, box: Box): void {
  const scale = Math.max(box.width / image.width, box.height / image.height);
  const width = box.width / scale;
  const height = box.height / scale;
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    image,
    (image.width - width) / 2,
    (image.height - height) / 2,
    width,
    height,
    box.x,
    box.y,
    box.width,
    box.height,
  );
}
