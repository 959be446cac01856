import { mix, parseColour, toCss } from './colour.ts';
import { createRandom, type Easel } from './easel.ts';

const leaves = ['#c8541f', '#e08a2a', '#b33a2b', '#d9a93c'].map(parseColour);

/** What can be added to any scene. */
export const weathers = { snow: paintSnow, rain: paintRain, leaves: paintLeaves, birds: paintBirds } as const;
export type Weather = keyof typeof weathers;

function paintSnow({ context, width, height, unit }: Easel): void {
  const random = createRandom('snow');
  context.fillStyle = 'rgba(255, 255, 255, 0.75)';
  context.beginPath();
  for (let flake = 0; flake < 900; flake += 1) {
    const [x, y] = [random() * width, random() * height];
    const radius = unit * (0.001 + 0.0042 * random() ** 4);
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, Math.PI * 2);
  }
  context.fill();
}

function paintRain({ context, width, height, unit, light }: Easel): void {
  const random = createRandom('rain');
  context.strokeStyle = toCss(mix(light.haze, [255, 255, 255], 0.5), 0.3);
  context.lineWidth = unit * 0.0018;
  context.beginPath();
  for (let drop = 0; drop < 700; drop += 1) {
    const [x, y, length] = [random() * width * 1.1, random() * height, unit * (0.02 + 0.05 * random())];
    context.moveTo(x, y);
    context.lineTo(x - length * 0.22, y + length);
  }
  context.stroke();
}

function paintLeaves({ context, width, height, unit, light }: Easel): void {
  const random = createRandom('leaves');
  for (let leaf = 0; leaf < 130; leaf += 1) {
    const size = unit * (0.006 + 0.014 * random() ** 2);
    context.save();
    context.translate(random() * width, random() * height);
    context.rotate(random() * 6);
    context.fillStyle = toCss(
      mix(leaves[leaf % leaves.length] ?? light.sun, light.ground, 0.3 * random()),
      0.92,
    );
    context.beginPath();
    context.moveTo(-size, 0);
    context.quadraticCurveTo(0, -size * 0.8, size, 0);
    context.quadraticCurveTo(0, size * 0.5, -size, 0);
    context.fill();
    context.restore();
  }
}

function paintBirds({ context, width, height, unit, light }: Easel): void {
  const random = createRandom('birds');
  context.strokeStyle = toCss(light.isNight ? light.sun : light.ground, 0.85);
  context.lineCap = 'round';
  for (let bird = 0; bird < 17; bird += 1) {
    const size = unit * (0.008 + 0.014 * random());
    const x = width * (0.3 + 0.4 * random());
    const y = height * (0.12 + 0.22 * random());
    context.lineWidth = size * 0.16;
    context.beginPath();
    context.moveTo(x - size, y - size * 0.35 * random());
    context.quadraticCurveTo(x - size * 0.4, y - size * 0.5, x, y);
    context.quadraticCurveTo(x + size * 0.4, y - size * 0.5, x + size, y - size * 0.35 * random());
    context.stroke();
  }
}
