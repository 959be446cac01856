import { type Colour, mix, parseColour, shiftHue, toCss } from './colour.ts';
import { createVerticalGradient, type Easel, fillDisc, paintGlow, paintPuff } from './easel.ts';

const petals = ['#e8567a', '#f2b84b', '#8f6ad6', '#f0f0ea', '#e8743f', '#5a8fe0'].map(parseColour);
const leaf = parseColour('#3f7a45');

/** Flowers close up, in front of a blurred meadow. */
export function* paintFlowers(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const [zenith = light.haze, middle = light.haze, low = light.haze] = light.sky;
  const grass = mix(leaf, light.ground, light.isNight ? 0.7 : 0.35);
  context.fillStyle = createVerticalGradient(easel, 0, height, [
    toCss(mix(zenith, middle, 0.6)),
    toCss(mix(low, light.haze, 0.4)),
    toCss(mix(grass, light.haze, 0.4)),
    toCss(mix(grass, light.ground, 0.4)),
  ]);
  context.fillRect(0, 0, width, height);
  paintGlow(easel, { x: width * random(), y: height * 0.2, radius: unit }, light.sun, 0.7);
  const first = Math.floor(random() * petals.length);
  const colours = [0, 1, 3].map((step) => petals[(first + step) % petals.length] ?? light.sun);
  paintBlur(easel, colours);
  for (let layer = 0; layer < 3; layer += 1) {
    yield;
    const count = Math.round((7 - layer * 2) * (0.5 + (0.5 * width) / unit));
    for (let flower = 0; flower < count; flower += 1) {
      const size = unit * (0.045 + 0.045 * layer) * (0.75 + 0.5 * random());
      const x = ((flower + 0.15 + 0.7 * random()) / count) * width;
      const y = height * (0.72 - 0.16 * layer + 0.24 * random());
      const colour = colours[Math.floor(random() * colours.length)] ?? light.sun;
      const far = 0.45 - 0.2 * layer;
      paintFlower(easel, { x, y, size }, mix(colour, light.haze, far), mix(grass, light.haze, far * 0.7));
    }
  }
}

function paintBlur(easel: Easel, colours: readonly Colour[]): void {
  const { context, width, height, unit, light, random } = easel;
  for (let spot = 0; spot < 110; spot += 1) {
    const down = random() ** 0.7;
    context.save();
    context.translate(random() * width, height * (0.35 + 0.65 * down));
    const isPetal = random() < 0.35;
    const green = mix(leaf, light.haze, random() * 0.6);
    const colour = isPetal ? (colours[spot % colours.length] ?? green) : green;
    const radius = unit * (0.04 + 0.1 * random());
    paintPuff(easel, radius, mix(colour, light.ground, light.isNight ? 0.5 : 0.1), 0.4);
    context.restore();
  }
  for (let gleam = 0; gleam < 26; gleam += 1) {
    const radius = unit * (0.012 + 0.035 * random());
    const [x, y] = [random() * width, random() * height * 0.75];
    fillDisc(easel, x, y, radius, toCss(light.sun, 0.07 + 0.12 * random()));
  }
}

type Place = { x: number; y: number; size: number };

function paintFlower(easel: Easel, { x, y, size }: Place, colour: Colour, green: Colour): void {
  const { context, height, light, random } = easel;
  const bend = (random() - 0.5) * size * 2.4;
  context.lineCap = 'round';
  context.lineWidth = size * 0.1;
  context.strokeStyle = createVerticalGradient(easel, y, height, [
    toCss(green),
    toCss(mix(green, light.ground, 0.5)),
  ]);
  context.beginPath();
  context.moveTo(x, y);
  context.quadraticCurveTo(x, y + (height - y) * 0.5, x + bend, height + size);
  context.stroke();
  for (const side of [-1, 1]) {
    const at = y + size * (1.8 + 1.6 * random());
    context.fillStyle = toCss(mix(green, light.ground, 0.15 + 0.2 * random()));
    context.beginPath();
    context.moveTo(x + bend * 0.1, at + size * 0.7);
    context.quadraticCurveTo(x + side * size * 0.3, at - size * 0.3, x + side * size * 1.3, at - size * 0.5);
    context.quadraticCurveTo(x + side * size * 0.9, at + size * 0.5, x + bend * 0.1, at + size * 0.7);
    context.fill();
  }
  context.save();
  context.translate(x, y);
  context.scale(1, 0.78 + 0.2 * random());
  context.rotate(random() * Math.PI);
  const count = 6 + Math.floor(random() * 5);
  for (const [ring, reach] of [1, 0.72].entries()) {
    for (let petal = 0; petal < count; petal += 1) {
      context.save();
      context.rotate(((petal + ring * 0.5) / count) * Math.PI * 2);
      const shade = context.createLinearGradient(0, 0, 0, -size * reach);
      shade.addColorStop(0, toCss(mix(shiftHue(colour, -25), [60, 10, 40], 0.4)));
      shade.addColorStop(0.45, toCss(mix(colour, [70, 20, 60], 0.1 + 0.08 * (petal % 2))));
      shade.addColorStop(1, toCss(mix(colour, [255, 252, 245], 0.3 + 0.2 * ring)));
      context.fillStyle = shade;
      const half = (size * reach * 2.1) / count;
      context.beginPath();
      context.moveTo(0, 0);
      context.bezierCurveTo(
        -half * 1.5,
        -size * reach * 0.5,
        -half * 1.2,
        -size * reach * 1.02,
        0,
        -size * reach,
      );
      context.bezierCurveTo(half * 1.2, -size * reach * 1.02, half * 1.5, -size * reach * 0.5, 0, 0);
      context.fill();
      context.restore();
    }
  }
  for (let seed = 0; seed < 26; seed += 1) {
    const away = Math.sqrt(seed / 26) * size * 0.24;
    const turn = seed * 2.4;
    const shade = mix([250, 205, 90], [110, 60, 20], seed / 30);
    fillDisc(
      easel,
      Math.cos(turn) * away,
      Math.sin(turn) * away,
      size * 0.045,
      toCss(mix(shade, light.ground, 0.12)),
    );
  }
  context.restore();
}
