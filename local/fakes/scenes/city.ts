import { type Colour, mix, toCss } from './colour.ts';
import {
  createVerticalGradient,
  type Easel,
  paintClouds,
  paintGlow,
  paintSky,
  paintStars,
  paintSun,
} from './easel.ts';

const rows = 4;
const lamps: readonly Colour[] = [
  [255, 214, 140],
  [255, 190, 110],
  [255, 236, 190],
  [150, 214, 255],
  [255, 120, 170],
];

type Building = { x: number; top: number; wide: number };

/** A skyline behind the water that mirrors its windows. */
export function* paintCity(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const shore = height * 0.78;
  paintSky(easel, shore);
  paintStars(easel, shore * 0.8);
  yield;
  paintSun(easel, width * (0.15 + 0.7 * random()), shore * (0.2 + 0.3 * random()), unit * 0.05);
  paintClouds(easel, shore * 0.15, shore * 0.6, 5);
  paintGlow(easel, { x: width / 2, y: shore, radius: width * 0.7 }, [255, 150, 90], 0.35);
  for (let row = 0; row < rows; row += 1) {
    yield;
    const depth = row / (rows - 1);
    const wall = mix(light.haze, light.ground, 0.3 + 0.62 * depth);
    for (const building of planRow(easel, depth, shore)) paintBuilding(easel, building, shore, wall, depth);
  }
  yield;
  // The water shows the city upside down.
  const source = shore - (height - shore);
  context.save();
  context.translate(0, shore * 2);
  context.scale(1, -1);
  const canvas = context.canvas;
  context.drawImage(canvas, 0, source, width, shore - source, 0, source, width, shore - source);
  context.restore();
  yield;
  context.fillStyle = createVerticalGradient(easel, shore, height, [
    toCss(light.ground, 0.35),
    toCss(mix(light.ground, light.haze, 0.15), 0.85),
  ]);
  context.fillRect(0, shore, width, height - shore);
  for (let wave = 0; wave < 260; wave += 1) {
    const near = random() ** 1.4;
    const x = random() * width;
    context.fillStyle = toCss(random() < 0.4 ? mix(light.sun, light.haze, 0.4) : light.ground, 0.16);
    context.fillRect(
      x,
      shore + near * (height - shore),
      unit * 0.09 * (0.2 + near),
      unit * 0.002 * (0.5 + near),
    );
  }
}

function planRow({ width, unit, random }: Easel, depth: number, shore: number): Building[] {
  const buildings: Building[] = [];
  const step = unit * (0.05 + 0.035 * depth);
  for (let x = -step; x < width; ) {
    const wide = step * (0.7 + 0.9 * random());
    const tall = unit * (0.2 + 0.34 * random() ** 2.2) * (1.12 - 0.55 * depth);
    buildings.push({ x, wide, top: shore - tall });
    x += wide * (0.92 + 0.35 * random());
  }
  return buildings;
}

function paintBuilding(
  easel: Easel,
  { x, top, wide }: Building,
  shore: number,
  wall: Colour,
  depth: number,
): void {
  const { context, unit, light, random } = easel;
  context.fillStyle = createVerticalGradient(easel, top, shore, [
    toCss(wall),
    toCss(mix(wall, light.haze, 0.35 * (1 - depth))),
  ]);
  context.fillRect(x, top, wide, shore - top);
  const roof = random();
  if (roof < 0.3) context.fillRect(x + wide * 0.25, top - unit * 0.02, wide * 0.5, unit * 0.021);
  if (roof > 0.82)
    context.fillRect(x + wide * 0.48, top - unit * 0.07, Math.max(1, wide * 0.04), unit * 0.071);
  if (depth < 0.3) return;
  const pane = unit * (0.0035 + 0.003 * depth);
  const lit = light.isNight ? 0.42 : 0.2;
  for (let y = top + pane * 2; y < shore - pane * 2; y += pane * 2.6) {
    for (let at = x + pane * 1.2; at < x + wide - pane * 1.8; at += pane * 2.1) {
      const [chance, colour, strength] = [random(), random(), random()];
      if (chance > lit) continue;
      const lamp = lamps[colour < 0.9 ? Math.floor(colour * 3.3) : colour < 0.96 ? 3 : 4] ?? light.sun;
      context.fillStyle = toCss(lamp, 0.35 + 0.6 * strength);
      context.fillRect(at, y, pane, pane * 1.4);
    }
  }
}
