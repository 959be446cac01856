import { mix, parseColour, toCss } from './colour.ts';
import {
  createNoise,
  createVerticalGradient,
  type Easel,
  fillDisc,
  paintGlow,
  paintPuff,
  paintStars,
  traceHills,
} from './easel.ts';

const rows = 6;
const autumn = ['#c8541f', '#e08a2a', '#b33a2b', '#d9a93c'].map(parseColour);

/** Trunks in the mist, beams of light between them, and leaves on the ground. */
export function* paintForest(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const [zenith = light.ground, , low = light.haze] = light.sky;
  const far = mix(low, light.haze, 0.5);
  context.fillStyle = createVerticalGradient(easel, 0, height, [
    toCss(mix(zenith, light.haze, 0.4)),
    toCss(mix(far, light.sun, 0.35)),
    toCss(mix(light.haze, light.ground, 0.7)),
  ]);
  context.fillRect(0, 0, width, height);
  paintStars(easel, height * 0.4, 90);
  const sunX = width * (0.25 + 0.5 * random());
  const sunY = height * (0.22 + 0.14 * random());
  paintGlow(easel, { x: sunX, y: sunY, radius: unit * 1 }, light.sun, light.isNight ? 0.45 : 0.9);
  for (let row = 0; row < rows; row += 1) {
    yield;
    const depth = row / (rows - 1);
    const shade = mix(mix(far, light.haze, 0.4), light.ground, 0.12 + 0.88 * depth ** 1.15);
    paintTrees(easel, depth, toCss(shade));
    if (row === 3) paintBeams(easel, sunX, sunY);
    context.save();
    context.translate(width / 2, height * (0.72 + 0.12 * depth));
    context.scale((width / unit) * 1.2, 0.16);
    paintPuff(easel, unit * 0.8, mix(light.haze, light.sun, 0.25), 0.5 * (1 - depth));
    context.restore();
  }
  yield;
  paintLeaves(easel);
}

function paintTrees(easel: Easel, depth: number, colour: string): void {
  const { context, width, height, unit, random } = easel;
  context.fillStyle = colour;
  const foot = height * (0.7 + 0.26 * depth ** 1.4);
  const count = Math.round((26 - 20 * depth) * (0.6 + (0.4 * width) / unit));
  for (let tree = 0; tree < count; tree += 1) {
    const x = ((tree + random() * 0.9) / count) * width;
    const wide = unit * (0.008 + 0.045 * depth ** 2) * (0.6 + 0.8 * random());
    const lean = (random() - 0.5) * unit * 0.06;
    context.beginPath();
    context.moveTo(x - wide * 1.1, foot + unit * 0.01);
    context.quadraticCurveTo(x - wide * 0.45, foot - height * 0.12, x - wide * 0.4 + lean, -1);
    context.lineTo(x + wide * 0.4 + lean, -1);
    context.quadraticCurveTo(x + wide * 0.45, foot - height * 0.12, x + wide * 1.1, foot + unit * 0.01);
    context.fill();
    for (let branch = 0; branch < 7; branch += 1) {
      const side = random() < 0.5 ? -1 : 1;
      const y = foot * (0.05 + 0.55 * random());
      const reach = unit * (0.03 + 0.09 * random()) * (0.5 + 0.7 * depth);
      const root = x + lean * (1 - y / foot);
      context.beginPath();
      context.moveTo(root, y + wide * 0.5);
      context.quadraticCurveTo(
        root + side * reach * 0.5,
        y - reach * 0.1,
        root + side * reach,
        y - reach * 0.5,
      );
      context.quadraticCurveTo(root + side * reach * 0.45, y - reach * 0.2, root, y - wide * 0.1);
      context.fill();
    }
  }
  const noise = createNoise(random);
  traceHills(easel, (x) => foot + unit * 0.05 * (noise(x * 1.5) - 0.6));
  context.fill();
}

function paintBeams({ context, width, height, unit, light, random }: Easel, x: number, y: number): void {
  context.save();
  context.globalCompositeOperation = 'screen';
  for (let beam = 0; beam < 9; beam += 1) {
    const angle = Math.PI * (0.5 + (random() - 0.5) * 0.75);
    const reach = Math.hypot(width, height);
    const half = 0.012 + 0.03 * random();
    const fade = context.createRadialGradient(x, y, unit * 0.05, x, y, unit * 0.95);
    fade.addColorStop(0, toCss(light.sun, 0.3));
    fade.addColorStop(1, toCss(light.sun, 0));
    context.fillStyle = fade;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + Math.cos(angle - half) * reach, y + Math.sin(angle - half) * reach);
    context.lineTo(x + Math.cos(angle + half) * reach, y + Math.sin(angle + half) * reach);
    context.fill();
  }
  context.restore();
}

function paintLeaves(easel: Easel): void {
  const { context, width, height, unit, light, random } = easel;
  for (let leaf = 0; leaf < 420; leaf += 1) {
    const near = random() ** 0.8;
    const colour = autumn[Math.floor(random() * autumn.length)] ?? light.sun;
    context.save();
    context.translate(random() * width, height * (0.84 + 0.17 * near));
    context.rotate(random() * 3);
    context.scale(1, 0.5);
    fillDisc(
      easel,
      0,
      0,
      unit * (0.003 + 0.008 * near),
      toCss(mix(colour, light.ground, 0.35 + 0.4 * random())),
    );
    context.restore();
  }
  for (let mote = 0; mote < 40; mote += 1) {
    const at = { x: random() * width, y: random() * height * 0.8, radius: unit * (0.004 + 0.012 * random()) };
    paintGlow(easel, at, light.sun, 0.7);
  }
}
