import { type Colour, mix, parseColour, shiftHue, toCss } from './colour.ts';
import {
  createNoise,
  createVerticalGradient,
  type Easel,
  paintClouds,
  paintGlow,
  paintPuff,
  paintSky,
  paintStars,
  paintSun,
  traceHills,
} from './easel.ts';

const silk = ['#d8433b', '#e9a13b', '#2f7fb5', '#7a4fa3', '#3f9a76'].map(parseColour);

/** Hot-air balloons above a sea of clouds. */
export function* paintBalloons(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  paintSky(easel, height * 0.85);
  paintStars(easel, height * 0.7);
  yield;
  paintSun(easel, width * (0.2 + 0.6 * random()), height * (0.5 + 0.1 * random()), unit * 0.05);
  paintClouds(easel, height * 0.1, height * 0.55, 7);
  const noise = createNoise(random);
  traceHills(easel, (x) => height * 0.72 - unit * 0.16 * noise(x * 1.3));
  context.fillStyle = createVerticalGradient(easel, height * 0.56, height * 0.8, [
    toCss(mix(light.haze, light.ground, 0.3)),
    toCss(light.haze),
  ]);
  context.fill();
  for (let bank = 0; bank < 3; bank += 1) {
    yield;
    paintBank(easel, height * (0.7 + 0.12 * bank), 0.5 + 0.25 * bank);
    for (let balloon = 0; balloon < 3 - bank; balloon += 1) {
      const size = unit * (0.035 + 0.055 * bank) * (0.8 + 0.4 * random());
      const x = width * (0.12 + 0.76 * random());
      const y = height * (0.18 + 0.3 * random());
      const colour = silk[Math.floor(random() * silk.length)] ?? light.sun;
      paintBalloon(easel, { x, y, size }, mix(colour, light.haze, 0.5 - 0.22 * bank));
    }
  }
}

function paintBank(easel: Easel, top: number, strength: number): void {
  const { context, width, unit, light, random } = easel;
  for (let puff = 0; puff < 44; puff += 1) {
    const size = unit * (0.05 + 0.13 * random());
    const lit = mix(light.haze, light.sun, light.isNight ? 0.1 + 0.2 * random() : 0.25 + 0.6 * random());
    context.save();
    context.translate(random() * width, top + size * 0.7 + (random() - 0.3) * unit * 0.06);
    context.scale(1.7, 0.75);
    paintPuff(easel, size, lit, strength);
    context.restore();
  }
}

function paintBalloon(
  easel: Easel,
  { x, y, size }: { x: number; y: number; size: number },
  colour: Colour,
): void {
  const { context, light, random } = easel;
  const other = shiftHue(mix(colour, [255, 250, 235], 0.55), random() * 40);
  const gores = 9;
  context.save();
  context.translate(x, y);
  const outline = (part: number) => {
    const half = size * part;
    context.moveTo(0, -size);
    context.bezierCurveTo(half * 1.3, -size, half * 1.35, size * 0.15, size * 0.2 * part, size * 1.12);
    context.lineTo(-size * 0.2 * part, size * 1.12);
    context.bezierCurveTo(-half * 1.35, size * 0.15, -half * 1.3, -size, 0, -size);
  };
  for (let gore = gores; gore > 0; gore -= 2) {
    context.beginPath();
    outline(Math.sin(((gore / gores) * Math.PI) / 2));
    context.fillStyle = toCss((gore >> 1) % 2 === 0 ? colour : other);
    context.fill();
  }
  const shade = context.createLinearGradient(-size, -size * 0.5, size, size * 0.4);
  shade.addColorStop(0, toCss(light.sun, 0.35));
  shade.addColorStop(0.45, toCss(light.ground, 0));
  shade.addColorStop(1, toCss(light.ground, 0.6));
  context.beginPath();
  outline(1);
  context.fillStyle = shade;
  context.fill();
  context.strokeStyle = toCss(light.ground, 0.7);
  context.lineWidth = size * 0.018;
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(side * size * 0.19, size * 1.12);
    context.lineTo(side * size * 0.12, size * 1.42);
  }
  context.stroke();
  context.fillStyle = toCss(mix([92, 58, 34], light.ground, 0.35));
  context.fillRect(-size * 0.14, size * 1.4, size * 0.28, size * 0.2);
  context.restore();
  paintGlow(easel, { x, y: y + size * 1.15, radius: size * 0.7 }, [255, 190, 90], light.isNight ? 0.9 : 0.45);
}
