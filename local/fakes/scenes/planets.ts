import { type Colour, mix, shiftHue, toCss } from './colour.ts';
import {
  createNoise,
  createRandom,
  type Easel,
  fillDisc,
  paintGlow,
  paintPuff,
  traceHills,
} from './easel.ts';

/** A planet with bands and a ring, its moons, and a nebula, above the craters of a moon. */
export function* paintPlanets(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  context.fillStyle = toCss(mix([5, 6, 18], light.sky[0] ?? light.ground, 0.22));
  context.fillRect(0, 0, width, height);
  paintNebula(easel);
  yield;
  const stars = createRandom(`stars ${random()}`);
  for (let star = 0; star < 520; star += 1) {
    context.globalAlpha = 0.3 + 0.7 * stars();
    fillDisc(easel, stars() * width, stars() * height, unit * (0.0006 + 0.0018 * stars() ** 8), '#f2f5ff');
  }
  context.globalAlpha = 1;
  yield;
  const isLeft = random() < 0.5;
  const colour = shiftHue([218, 150, 96], random() * 360);
  const radius = unit * (0.2 + 0.09 * random());
  const x = width * (isLeft ? 0.34 : 0.66);
  const y = height * (0.36 + 0.08 * random());
  const tilt = (random() - 0.5) * 0.9;
  paintRing(easel, { x, y, radius, tilt }, colour, Math.PI);
  paintPlanet(easel, { x, y, radius, tilt }, colour);
  paintRing(easel, { x, y, radius, tilt }, colour, 0);
  yield;
  for (let moon = 0; moon < 3; moon += 1) {
    const at = {
      x: width * (isLeft ? 0.58 + 0.36 * random() : 0.06 + 0.36 * random()),
      y: height * (0.1 + 0.5 * random()),
      radius: unit * (0.015 + 0.045 * random()),
      tilt: 0,
    };
    paintPlanet(easel, at, shiftHue(mix(colour, [200, 200, 210], 0.5), random() * 160));
  }
  yield;
  paintSurface(easel);
}

function paintNebula(easel: Easel): void {
  const { context, width, height, unit, light, random } = easel;
  context.save();
  context.globalCompositeOperation = 'screen';
  const base = light.sky[1] ?? light.haze;
  for (let cloud = 0; cloud < 46; cloud += 1) {
    const along = random();
    const spread = (random() + random() + random() - 1.5) * 0.42;
    context.save();
    context.translate(along * width, height * (0.75 - 0.5 * along + spread));
    context.rotate(-0.5);
    context.scale(1.6, 0.8);
    const colour = shiftHue(mix(base, light.sun, random() * 0.35), (random() - 0.5) * 110);
    paintPuff(easel, unit * (0.08 + 0.26 * random() ** 2), colour, 0.07 + 0.1 * random());
    context.restore();
  }
  context.restore();
}

type Globe = { x: number; y: number; radius: number; tilt: number };

function paintPlanet(easel: Easel, { x, y, radius, tilt }: Globe, colour: Colour): void {
  const { context, random, unit } = easel;
  if (radius > unit * 0.1) paintGlow(easel, { x, y, radius: radius * 1.5 }, colour, 0.55);
  context.save();
  context.translate(x, y);
  context.rotate(tilt);
  context.beginPath();
  context.arc(0, 0, radius, 0, Math.PI * 2);
  context.clip();
  context.fillStyle = toCss(colour);
  context.fillRect(-radius, -radius, radius * 2, radius * 2);
  const noise = createNoise(random);
  for (let band = 0; band < 22; band += 1) {
    const shade = noise(band * 0.71);
    context.fillStyle = toCss(shade > 0.5 ? [255, 245, 230] : [40, 20, 40], Math.abs(shade - 0.5) * 0.9);
    const top = -radius + (band / 22) * radius * 2;
    context.beginPath();
    context.ellipse(0, top, radius * 1.2, radius * (0.05 + 0.06 * noise(band)), 0, 0, Math.PI * 2);
    context.fill();
  }
  context.rotate(-tilt);
  const shadow = context.createRadialGradient(
    -radius * 0.5,
    -radius * 0.5,
    radius * 0.2,
    -radius * 0.35,
    -radius * 0.35,
    radius * 1.5,
  );
  shadow.addColorStop(0, 'rgba(255, 250, 235, 0.35)');
  shadow.addColorStop(0.35, 'rgba(0, 0, 0, 0)');
  shadow.addColorStop(0.75, 'rgba(4, 3, 16, 0.75)');
  shadow.addColorStop(1, 'rgba(4, 3, 16, 0.97)');
  context.fillStyle = shadow;
  context.fillRect(-radius, -radius, radius * 2, radius * 2);
  context.restore();
}

/** Half a ring: behind the planet from `start` π, in front of it from 0. */
function paintRing({ context }: Easel, { x, y, radius, tilt }: Globe, colour: Colour, start: number): void {
  context.save();
  context.translate(x, y);
  context.rotate(tilt);
  context.scale(1, 0.24);
  for (let line = 0; line < 14; line += 1) {
    const part = line / 13;
    context.beginPath();
    context.arc(0, 0, radius * (1.35 + 0.75 * part), start, start + Math.PI);
    context.lineWidth = radius * 0.05;
    const isGap = line === 8;
    context.strokeStyle = toCss(
      mix(colour, [255, 240, 220], 0.3 + 0.5 * Math.sin(line * 1.9) ** 2),
      isGap ? 0.05 : 0.5 - 0.3 * part,
    );
    context.stroke();
  }
  context.restore();
}

function paintSurface(easel: Easel): void {
  const { context, width, height, unit, light, random } = easel;
  const noise = createNoise(random);
  const crest = (x: number) => height * 0.85 - unit * 0.09 * (noise(x * 1.4) - 0.5);
  traceHills(easel, crest);
  const gradient = context.createLinearGradient(0, height * 0.8, 0, height);
  const rock = mix([120, 112, 124], light.haze, 0.35);
  gradient.addColorStop(0, toCss(mix(rock, light.sun, 0.25)));
  gradient.addColorStop(1, toCss(mix(rock, [8, 6, 18], 0.8)));
  context.fillStyle = gradient;
  context.fill();
  for (let crater = 0; crater < 34; crater += 1) {
    const near = random() ** 1.3;
    const size = unit * (0.006 + 0.05 * near * random());
    const x = random() * width;
    const y = crest(x / unit) + size * 0.4 + near * height * 0.15;
    context.fillStyle = 'rgba(6, 4, 16, 0.5)';
    context.beginPath();
    context.ellipse(x, y, size, size * 0.28, 0, 0, Math.PI * 2);
    context.fill();
    context.strokeStyle = toCss(mix(rock, light.sun, 0.5), 0.55);
    context.lineWidth = size * 0.09;
    context.beginPath();
    context.ellipse(x, y, size, size * 0.28, 0, 0.1, Math.PI * 0.9);
    context.stroke();
  }
}
