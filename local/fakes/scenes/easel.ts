import { createHash } from 'node:crypto';
import type { SKRSContext2D } from '@napi-rs/canvas';
import { type Colour, mix, toCss } from './colour.ts';
import type { Light } from './light.ts';

/** What a scene paints with. Every size follows from these, so that a scene looks the same at 1K and at 4K. */
export type Easel = {
  context: SKRSContext2D;
  /** Pixels. */
  width: number;
  height: number;
  /** The shorter side, pixels. */
  unit: number;
  light: Light;
  /** Numbers in [0, 1), the same for the same seed. Every use must draw them in the same order, whatever the light. */
  random: () => number;
};

/** Paints layer by layer. Between two layers, the fakes answer other requests. */
export type Scene = (easel: Easel) => Iterable<void>;

/** The Mulberry32 generator, seeded by the text: numbers in [0, 1). */
export function createRandom(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Smooth noise along a line, of five octaves: numbers in [0, 1). */
export function createNoise(random: () => number): (x: number) => number {
  const values = Array.from({ length: 256 }, random);
  const read = (x: number) => {
    const whole = Math.floor(x);
    const part = x - whole;
    const from = values[whole & 255] ?? 0;
    return from + ((values[(whole + 1) & 255] ?? 0) - from) * part * part * (3 - 2 * part);
  };
  return (x) => [1, 2, 4, 8, 16].reduce((sum, octave) => sum + (read(x * octave) * 0.516) / octave, 0);
}

/** A gradient from top to bottom, with its colours at equal distances. */
export function createVerticalGradient(
  { context }: Easel,
  top: number,
  bottom: number,
  colours: readonly string[],
) {
  const gradient = context.createLinearGradient(0, top, 0, bottom);
  colours.forEach((colour, index) => {
    gradient.addColorStop(index / (colours.length - 1), colour);
  });
  return gradient;
}

/** Fills the picture down to the horizon with the sky. @param horizon pixels from the top */
export function paintSky(easel: Easel, horizon = easel.height): void {
  const { context, width, height, light } = easel;
  const colours = light.sky.map((colour) => toCss(colour));
  context.fillStyle = createVerticalGradient(easel, 0, horizon, colours);
  context.fillRect(0, 0, width, height);
}

/** Adds light around a point. */
export function paintGlow(
  { context }: Easel,
  at: { x: number; y: number; radius: number },
  colour: Colour,
  alpha: number,
): void {
  const { x, y, radius } = at;
  const glow = context.createRadialGradient(x, y, 0, x, y, radius);
  // A gradient in two straight lines has a visible ring.
  for (const part of [0, 0.15, 0.3, 0.45, 0.6, 0.8, 1]) {
    glow.addColorStop(part, toCss(colour, alpha * (1 - part) ** 2.2));
  }
  context.save();
  context.globalCompositeOperation = 'screen';
  context.fillStyle = glow;
  context.fillRect(x - radius, y - radius, radius * 2, radius * 2);
  context.restore();
}

/** Paints the sun or the moon with its light. */
export function paintSun(easel: Easel, x: number, y: number, radius: number): void {
  const { light } = easel;
  paintGlow(easel, { x, y, radius: easel.unit * 1.1 }, light.sun, light.isNight ? 0.3 : 0.55);
  paintGlow(easel, { x, y, radius: radius * 4 }, light.sun, 0.6);
  fillDisc(easel, x, y, radius, toCss(light.sun));
}

export function fillDisc({ context }: Easel, x: number, y: number, radius: number, colour: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.fillStyle = colour;
  context.fill();
}

/** Paints stars above the horizon, at night only. */
export function paintStars(easel: Easel, horizon: number, count = 260): void {
  const { context, width, unit, light } = easel;
  const random = createRandom('stars');
  for (let star = 0; light.isNight && star < count; star += 1) {
    const y = random() ** 1.6 * horizon;
    const size = unit * (0.0006 + 0.0017 * random() ** 6);
    context.globalAlpha = (0.25 + 0.75 * random()) * (1 - y / horizon);
    fillDisc(easel, random() * width, y, size, '#f4f6ff');
  }
  context.globalAlpha = 1;
}

/** Paints streaks of cloud, lit from below. */
export function paintClouds(easel: Easel, top: number, bottom: number, count: number): void {
  const { context, width, unit, light, random } = easel;
  for (let cloud = 0; cloud < count; cloud += 1) {
    const x = random() * width;
    const y = top + random() * (bottom - top);
    const length = unit * (0.15 + 0.4 * random());
    const colour = mix(light.sun, light.haze, 0.2 + 0.6 * random());
    for (let puff = 0; puff < 9; puff += 1) {
      const away = random() * 2 - 1;
      const radius = length * 0.3 * (1.15 - Math.abs(away)) * (0.6 + 0.6 * random());
      context.save();
      context.translate(x + away * length, y + (random() - 0.5) * radius * 0.35);
      context.scale(1, 0.24);
      paintPuff(easel, radius, colour, light.isNight ? 0.1 : 0.22);
      context.restore();
    }
  }
}

/** A soft disc around the origin. */
export function paintPuff({ context }: Easel, radius: number, colour: Colour, alpha: number): void {
  const soft = context.createRadialGradient(0, 0, 0, 0, 0, radius);
  soft.addColorStop(0, toCss(colour, alpha));
  soft.addColorStop(0.5, toCss(colour, alpha * 0.55));
  soft.addColorStop(1, toCss(colour, 0));
  context.fillStyle = soft;
  context.fillRect(-radius, -radius, radius * 2, radius * 2);
}

/**
 * Begins the outline of hills that reach the bottom edge. The caller fills it.
 * @param crest height of the hills at `x` from 0 to the picture's width in units, pixels from the top
 */
export function traceHills({ context, width, height, unit }: Easel, crest: (x: number) => number): void {
  const steps = 360;
  context.beginPath();
  context.moveTo(-1, height + 1);
  for (let step = 0; step <= steps; step += 1) {
    const x = (step / steps) * width;
    context.lineTo(x, crest(x / unit));
  }
  context.lineTo(width + 1, height + 1);
  context.closePath();
}
