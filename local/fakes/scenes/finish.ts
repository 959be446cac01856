import { createCanvas } from '@napi-rs/canvas';
import { createRandom, type Easel } from './easel.ts';

const tileSide = 512;
const tile = createCanvas(tileSide, tileSide);

function paintTile(): void {
  const context = tile.getContext('2d');
  const grain = context.createImageData(tileSide, tileSide);
  const random = createRandom('grain');
  for (let pixel = 0; pixel < grain.data.length; pixel += 4) {
    // Light or dark, and mostly faint.
    const value = random() + random() - 1;
    const shade = value > 0 ? 255 : 0;
    grain.data.set([shade, shade, shade, Math.abs(value) * 16], pixel);
  }
  context.putImageData(grain, 0, 0);
}
paintTile();

/** Darkens the corners and adds the grain of a film. */
export function* finish({ context, width, height }: Easel): Generator<void> {
  const pattern = context.createPattern(tile, 'repeat');
  const reach = Math.hypot(width, height) / 2;
  const vignette = context.createRadialGradient(
    width / 2,
    height / 2,
    reach * 0.55,
    width / 2,
    height / 2,
    reach * 1.05,
  );
  vignette.addColorStop(0, 'rgba(8, 6, 20, 0)');
  vignette.addColorStop(1, 'rgba(8, 6, 20, 0.38)');
  context.fillStyle = vignette;
  context.fillRect(0, 0, width, height);
  yield;
  if (pattern) context.fillStyle = pattern;
  context.fillRect(0, 0, width, height);
  yield;
}
