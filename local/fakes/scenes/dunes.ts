import { mix, parseColour, toCss } from './colour.ts';
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

const sand = parseColour('#e09a52');
const dunes = 5;

/** Dunes with a lit and a shaded side, ripples in the sand, and a caravan. */
export function* paintDunes(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const horizon = height * (0.42 + 0.08 * random());
  paintSky(easel, horizon * 1.1);
  paintStars(easel, horizon);
  yield;
  const isLeft = random() < 0.5;
  paintSun(easel, width * (isLeft ? 0.2 : 0.8), horizon * (0.35 + 0.35 * random()), unit * 0.06);
  paintClouds(easel, horizon * 0.2, horizon * 0.7, 3);
  for (let dune = 0; dune < dunes; dune += 1) {
    yield;
    const depth = dune / (dunes - 1);
    const noise = createNoise(random);
    const foot = horizon + (height - horizon) * depth ** 1.2 * 0.72;
    const rise = unit * (0.1 + 0.13 * depth);
    const half = 0.42 + 0.4 * depth;
    const reach = width / unit;
    const peaks = Array.from({ length: Math.ceil(reach / (half * 1.7)) + 1 }, (_, peak) => ({
      x: (peak - 0.3 + 0.6 * random()) * half * 1.7,
      size: 0.55 + 0.45 * random(),
    }));
    // Where the slopes of two peaks meet, the higher one counts.
    const crest = (x: number) =>
      foot -
      rise *
        (Math.max(...peaks.map((peak) => peak.size * slope((x - peak.x) / half))) + 0.1 * noise(x * 0.6));
    const lit = mix(mix(sand, light.sun, 0.28), light.haze, 0.62 * (1 - depth));
    const lower = mix(mix(sand, light.ground, light.isNight ? 0.75 : 0.35), light.haze, 0.5 * (1 - depth));
    traceHills(easel, crest);
    context.fillStyle = createVerticalGradient(easel, foot - rise, Math.min(height, foot + unit * 0.4), [
      toCss(light.isNight ? mix(lit, light.ground, 0.55) : lit),
      toCss(lower),
    ]);
    context.fill();
    context.save();
    context.clip();
    for (const { x } of peaks)
      paintShade(easel, { x: x * unit, top: crest(x), wide: half * unit, depth, isLeft });
    context.restore();
    if (dune === 2) paintCaravan(easel, crest);
    if (dune === dunes - 1) paintRipples(easel, crest);
  }
}

/** The height of a dune, 1 at its sharp peak, at a distance of its half width. */
const slope = (distance: number) => Math.max(0, 1 - Math.abs(distance)) ** 1.5;

type Shade = { x: number; top: number; wide: number; depth: number; isLeft: boolean };

/** Shades the side that turns away from the sun. Its edge winds from the peak down to the foot. */
function paintShade(easel: Easel, { x, top, wide, depth, isLeft }: Shade): void {
  const { context, unit, light } = easel;
  const away = isLeft ? wide : -wide;
  const bottom = top + unit * (0.3 + 0.3 * depth);
  const shade = context.createLinearGradient(x, top, x + away * 0.9, bottom);
  shade.addColorStop(0, toCss(mix(light.ground, light.haze, 0.35 * (1 - depth)), 0.68));
  shade.addColorStop(0.55, toCss(light.ground, 0.3));
  shade.addColorStop(1, toCss(light.ground, 0));
  context.fillStyle = shade;
  const drop = bottom - top;
  context.beginPath();
  context.moveTo(x, top - unit * 0.01);
  context.bezierCurveTo(
    x - away * 0.02,
    top + drop * 0.3,
    x + away * 0.4,
    top + drop * 0.3,
    x + away * 0.3,
    top + drop * 0.62,
  );
  context.bezierCurveTo(x + away * 0.24, top + drop * 0.8, x + away * 0.5, bottom, x + away * 0.7, bottom);
  context.lineTo(x + away * 1.3, bottom);
  context.lineTo(x + away * 1.3, top - unit * 0.01);
  context.fill();
}

function paintRipples(
  { context, width, height, unit, light, random }: Easel,
  crest: (x: number) => number,
): void {
  context.strokeStyle = toCss(light.ground, 0.13);
  for (let line = 1; line < 26; line += 1) {
    context.lineWidth = unit * (0.0012 + 0.00012 * line);
    const [phase, bend] = [random() * 6, 6 + 5 * random()];
    context.beginPath();
    for (let step = 0; step <= 120; step += 1) {
      const x = (step / 120) * width;
      const y =
        crest(x / unit) + unit * 0.0009 * line ** 1.9 + unit * 0.006 * Math.sin((x / unit) * bend + phase);
      if (y < height + unit) context.lineTo(x, y + unit * 0.02);
    }
    context.stroke();
  }
}

function paintCaravan({ context, width, unit, light, random }: Easel, crest: (x: number) => number): void {
  const start = width * (0.3 + 0.2 * random());
  context.fillStyle = toCss(light.ground, 0.92);
  for (let camel = 0; camel < 5; camel += 1) {
    const x = start + camel * unit * 0.055;
    const size = unit * 0.016;
    const y = crest(x / unit) - size * 1.1;
    context.beginPath();
    context.ellipse(x, y, size, size * 0.5, 0, 0, Math.PI * 2);
    context.ellipse(x - size * 0.1, y - size * 0.5, size * 0.4, size * 0.42, 0, 0, Math.PI * 2);
    context.ellipse(x - size * 1.35, y - size * 0.85, size * 0.32, size * 0.16, 0, 0, Math.PI * 2);
    context.rect(x - size * 1.2, y - size * 0.9, size * 0.22, size);
    for (const leg of [-0.75, -0.45, 0.4, 0.7]) context.rect(x + size * leg, y, size * 0.14, size * 1.3);
    context.fill();
  }
}
