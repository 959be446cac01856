import { mix, toCss } from './colour.ts';
import {
  createNoise,
  createVerticalGradient,
  type Easel,
  paintClouds,
  paintSky,
  paintStars,
  paintSun,
  traceHills,
} from './easel.ts';

const ridges = 6;

/** Ridges behind one another, with mist in the valleys, and firs in front. */
export function* paintMountains(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const horizon = height * (0.5 + 0.08 * random());
  paintSky(easel, horizon * 1.1);
  paintStars(easel, horizon);
  yield;
  paintSun(easel, width * (0.2 + 0.6 * random()), horizon * (0.22 + 0.3 * random()), unit * 0.045);
  paintClouds(easel, horizon * 0.25, horizon * 0.8, 5);
  for (let ridge = 0; ridge < ridges; ridge += 1) {
    yield;
    const depth = ridge / (ridges - 1);
    const noise = createNoise(random);
    const foot = horizon + (height - horizon) * depth ** 1.35 * 0.86;
    const rise = unit * (0.36 - 0.18 * depth);
    const crest = (x: number) =>
      foot + unit * 0.06 - rise * (1 - Math.abs(noise(x * (1.1 + depth)) * 2 - 1)) ** 1.3;
    traceHills(easel, crest);
    const shade = mix(light.haze, light.ground, 0.16 + 0.84 * depth ** 1.1);
    const lit = mix(shade, light.sun, 0.22 * (1 - depth));
    const mist = mix(light.haze, light.ground, 0.05 + 0.75 * depth ** 1.4);
    context.fillStyle = createVerticalGradient(easel, foot - rise, foot + unit * 0.16, [
      toCss(lit),
      toCss(shade),
      toCss(mist),
    ]);
    context.fill();
    if (depth > 0.7)
      paintFirs(easel, crest, toCss(mix(shade, light.ground, 0.5)), 0.02 + 0.07 * (depth - 0.7));
  }
}

function paintFirs(easel: Easel, crest: (x: number) => number, colour: string, size: number): void {
  const { context, width, unit, random } = easel;
  context.fillStyle = colour;
  context.beginPath();
  for (let tree = 0; tree < 150; tree += 1) {
    const x = random() * width;
    const tall = unit * size * (0.6 + 1.4 * random() ** 2);
    const foot = crest(x / unit) + tall * 0.25;
    for (let tier = 0; tier < 3; tier += 1) {
      const half = tall * (0.1 + 0.05 * tier);
      const top = foot - tall * (1 - tier * 0.24);
      context.moveTo(x, top);
      context.lineTo(x + half, top + tall * 0.42);
      context.lineTo(x - half, top + tall * 0.42);
    }
    context.rect(x - tall * 0.02, foot - tall * 0.2, tall * 0.04, tall * 0.3);
  }
  context.fill();
}
