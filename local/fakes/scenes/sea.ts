import { mix, toCss } from './colour.ts';
import {
  createNoise,
  createVerticalGradient,
  type Easel,
  paintClouds,
  paintGlow,
  paintSky,
  paintStars,
  paintSun,
  traceHills,
} from './easel.ts';

/** The sun over water, a headland with a lighthouse, and a boat. */
export function* paintSea(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const horizon = height * (0.5 + 0.1 * random());
  const isLeft = random() < 0.5;
  const sunX = width * (isLeft ? 0.62 + 0.2 * random() : 0.18 + 0.2 * random());
  paintSky(easel, horizon);
  paintStars(easel, horizon);
  yield;
  paintSun(easel, sunX, horizon * (0.5 + 0.34 * random()), unit * 0.055);
  paintClouds(easel, horizon * 0.15, horizon * 0.85, 8);
  yield;
  const [zenith = light.ground] = light.sky;
  context.fillStyle = createVerticalGradient(easel, horizon, height, [
    toCss(mix(light.haze, light.sun, 0.25)),
    toCss(mix(mix(zenith, light.haze, 0.35), light.ground, 0.25)),
    toCss(mix(zenith, light.ground, 0.6)),
  ]);
  context.fillRect(0, horizon, width, height - horizon);
  yield;
  paintWaves(easel, horizon, sunX);
  yield;
  paintHeadland(easel, horizon, isLeft);
  paintBoat(easel, width * (isLeft ? 0.7 : 0.3), horizon + (height - horizon) * 0.2);
}

/** Short strokes, which grow towards the viewer and shine below the sun. */
function paintWaves({ context, width, height, unit, light, random }: Easel, horizon: number, sunX: number) {
  for (let wave = 0; wave < 1500; wave += 1) {
    const near = random() ** 1.7;
    const isGlint = random() < 0.45;
    const spread = unit * (0.05 + 0.28 * near);
    const x = isGlint ? sunX + (random() + random() + random() - 1.5) * spread : random() * width;
    const length = unit * (0.004 + 0.06 * near) * (0.4 + random());
    const y = horizon + near * (height - horizon);
    const colour = isGlint ? light.sun : random() < 0.5 ? light.ground : light.haze;
    context.fillStyle = toCss(colour, (isGlint ? 0.5 : 0.12) * (1 - 0.5 * near));
    context.beginPath();
    context.ellipse(x, y, length, unit * (0.0008 + 0.0035 * near), 0, 0, Math.PI * 2);
    context.fill();
  }
}

function paintHeadland(easel: Easel, horizon: number, isLeft: boolean): void {
  const { context, width, unit, light, random } = easel;
  const noise = createNoise(random);
  const reach = width / unit;
  context.save();
  context.beginPath();
  context.rect(0, 0, width, horizon + unit * 0.03);
  context.clip();
  const crest = (x: number) => {
    const away = (isLeft ? x : reach - x) / reach;
    return horizon + unit * (0.04 - 0.2 * Math.max(0, 1 - away * 2.3) ** 0.8 * (0.75 + 0.5 * noise(x * 3)));
  };
  traceHills(easel, crest);
  context.fillStyle = createVerticalGradient(easel, horizon - unit * 0.2, horizon + unit * 0.03, [
    toCss(mix(light.haze, light.ground, 0.7)),
    toCss(light.ground),
  ]);
  context.fill();
  context.restore();
  const x = width * (isLeft ? 0.17 : 0.83);
  const foot = crest(x / unit) + unit * 0.01;
  const top = foot - unit * 0.24;
  const edge = unit * 0.014;
  context.beginPath();
  context.moveTo(x - edge * 1.6, foot);
  context.lineTo(x - edge, top);
  context.lineTo(x + edge, top);
  context.lineTo(x + edge * 1.6, foot);
  context.fillStyle = toCss(mix(light.haze, light.sun, 0.55));
  context.fill();
  context.fillStyle = toCss(mix([168, 52, 48], light.ground, 0.25));
  for (const part of [0.2, 0.5, 0.8]) {
    context.fillRect(x - edge * 1.35, top + (foot - top) * part, edge * 2.7, unit * 0.03);
  }
  context.fillStyle = toCss(light.ground);
  context.fillRect(x - edge * 1.4, top - unit * 0.004, edge * 2.8, unit * 0.006);
  context.fillRect(x - edge * 0.8, top - unit * 0.04, edge * 1.6, unit * 0.008);
  context.fillStyle = '#fff3c4';
  context.fillRect(x - edge * 0.7, top - unit * 0.032, edge * 1.4, unit * 0.028);
  paintGlow(easel, { x, y: top - unit * 0.018, radius: unit * 0.2 }, [255, 240, 190], 0.8);
}

function paintBoat({ context, unit, light }: Easel, x: number, y: number): void {
  const size = unit * 0.09;
  context.fillStyle = toCss(light.ground, 0.9);
  context.beginPath();
  context.moveTo(x - size * 0.6, y - size * 0.08);
  context.lineTo(x + size * 0.65, y - size * 0.1);
  context.quadraticCurveTo(x + size * 0.4, y + size * 0.1, x - size * 0.4, y + size * 0.1);
  context.fill();
  context.fillStyle = toCss(mix(light.sun, light.haze, 0.35));
  context.beginPath();
  context.moveTo(x, y - size * 1.25);
  context.quadraticCurveTo(x + size * 0.55, y - size * 0.7, x + size * 0.5, y - size * 0.18);
  context.lineTo(x, y - size * 0.16);
  context.moveTo(x - size * 0.05, y - size * 1.1);
  context.quadraticCurveTo(x - size * 0.3, y - size * 0.6, x - size * 0.45, y - size * 0.18);
  context.lineTo(x - size * 0.05, y - size * 0.16);
  context.fill();
  context.fillStyle = toCss(light.ground, 0.25);
  context.fillRect(x - size * 0.5, y + size * 0.1, size, size * 0.3);
}
