import { type Colour, mix, parseColour, shiftHue, toCss } from './colour.ts';
import { createVerticalGradient, type Easel, paintGlow, paintPuff } from './easel.ts';

const fruits = ['#c8372d', '#e08a2c', '#7fa23a', '#6d2f55', '#d8b23c'].map(parseColour);

/** A vase, fruit and a bunch of bananas on a table, in the light of a window. */
export function* paintStillLife(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const table = height * 0.66;
  const wall = mix(mix(light.haze, light.ground, 0.55), shiftHue(light.haze, random() * 120 - 60), 0.35);
  context.fillStyle = createVerticalGradient(easel, 0, table, [
    toCss(mix(wall, light.ground, 0.55)),
    toCss(mix(wall, light.haze, 0.25)),
  ]);
  context.fillRect(0, 0, width, height);
  paintGlow(easel, { x: width * 0.22, y: height * 0.2, radius: unit * 1.15 }, light.sun, 0.55);
  paintWindowLight(easel);
  yield;
  const wood = mix(parseColour('#8a5a38'), light.ground, light.isNight ? 0.5 : 0.2);
  context.fillStyle = createVerticalGradient(easel, table, height, [
    toCss(mix(wood, light.sun, 0.3)),
    toCss(wood),
    toCss(mix(wood, light.ground, 0.6)),
  ]);
  context.fillRect(0, table, width, height - table);
  for (let line = 0; line < 60; line += 1) {
    const near = random() ** 1.5;
    context.fillStyle = toCss(random() < 0.5 ? light.ground : light.sun, 0.07);
    context.fillRect(
      random() * width - unit * 0.4,
      table + near * (height - table),
      unit * (0.2 + 0.8 * random()),
      unit * 0.002 * (1 + near),
    );
  }
  yield;
  const middle = width * (0.44 + 0.12 * random());
  paintVase(easel, middle - unit * 0.2, table + unit * 0.08, unit * 0.17);
  yield;
  const seat = table + unit * 0.14;
  const order = random() * fruits.length;
  for (let fruit = 0; fruit < 5; fruit += 1) {
    const radius = unit * (0.062 + 0.022 * random());
    const x = middle + unit * (fruit < 3 ? 0.04 + 0.135 * fruit : -0.02 + 0.14 * (fruit - 3));
    const y = seat + unit * (fruit < 3 ? 0 : 0.075) - radius * 0.6;
    paintFruit(easel, { x, y, radius }, fruits[Math.floor(order + fruit * 1.7) % fruits.length] ?? light.sun);
  }
  yield;
  paintBananas(easel, middle + unit * 0.05, seat + unit * 0.14, unit * 0.27);
}

function paintWindowLight({ context, width, height, unit, light, random }: Easel): void {
  context.save();
  context.globalCompositeOperation = 'screen';
  context.translate(width * (0.6 + 0.1 * random()), height * 0.3);
  context.transform(1, 0, -0.35, 1, 0, 0);
  context.fillStyle = toCss(light.sun, light.isNight ? 0.1 : 0.2);
  const pane = unit * 0.15;
  for (const [column, row] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    context.fillRect(column * pane * 1.08, -pane * 1.3 + row * pane * 1.22, pane, pane * 1.12);
  }
  context.restore();
}

function paintShadow(easel: Easel, x: number, y: number, wide: number): void {
  const { context, light } = easel;
  context.save();
  context.translate(x + wide * 0.35, y);
  context.scale(1, 0.2);
  paintPuff(easel, wide * 1.3, light.ground, 0.75);
  context.restore();
}

function paintVase(easel: Easel, x: number, foot: number, size: number): void {
  const { context, light, random } = easel;
  paintShadow(easel, x, foot, size);
  const glaze = shiftHue(parseColour('#3f7f9a'), random() * 300);
  for (let stem = 0; stem < 9; stem += 1) {
    const tip = { x: x + (random() - 0.5) * size * 3.2, y: foot - size * (3 + 1.5 * random()) };
    context.strokeStyle = toCss(mix(parseColour('#5b7a45'), light.ground, 0.35));
    context.lineWidth = size * 0.035;
    context.beginPath();
    context.moveTo(x, foot - size * 1.9);
    context.quadraticCurveTo(x + (tip.x - x) * 0.2, tip.y + size * 0.6, tip.x, tip.y);
    context.stroke();
    for (let bud = 0; bud < 9; bud += 1) {
      const part = bud / 9;
      context.save();
      context.translate(tip.x + (x - tip.x) * part * 0.5, tip.y + part * size * 0.9);
      context.rotate((bud % 2 ? 1 : -1) * 0.9);
      context.fillStyle = toCss(
        mix(mix(parseColour('#8fae6a'), light.sun, random() * 0.5), light.ground, 0.15 + part * 0.3),
      );
      context.beginPath();
      context.ellipse(0, -size * 0.13, size * 0.055, size * 0.17, 0, 0, Math.PI * 2);
      context.fill();
      context.restore();
    }
  }
  const body = context.createLinearGradient(x - size * 0.75, 0, x + size * 0.75, 0);
  body.addColorStop(0, toCss(mix(glaze, light.ground, 0.3)));
  body.addColorStop(0.25, toCss(mix(glaze, light.sun, 0.55)));
  body.addColorStop(0.5, toCss(glaze));
  body.addColorStop(1, toCss(mix(glaze, light.ground, 0.8)));
  context.fillStyle = body;
  context.beginPath();
  context.moveTo(x - size * 0.28, foot - size * 2);
  context.bezierCurveTo(
    x - size * 0.15,
    foot - size * 1.5,
    x - size * 1.05,
    foot - size * 0.9,
    x - size * 0.4,
    foot,
  );
  context.quadraticCurveTo(x, foot + size * 0.1, x + size * 0.4, foot);
  context.bezierCurveTo(
    x + size * 1.05,
    foot - size * 0.9,
    x + size * 0.15,
    foot - size * 1.5,
    x + size * 0.28,
    foot - size * 2,
  );
  context.fill();
  context.fillStyle = toCss(mix(glaze, light.ground, 0.65));
  context.beginPath();
  context.ellipse(x, foot - size * 2, size * 0.28, size * 0.06, 0, 0, Math.PI * 2);
  context.fill();
}

function paintFruit(
  easel: Easel,
  { x, y, radius }: { x: number; y: number; radius: number },
  colour: Colour,
): void {
  const { context, light } = easel;
  paintShadow(easel, x, y + radius * 0.85, radius);
  const round = context.createRadialGradient(x - radius * 0.35, y - radius * 0.4, 0, x, y, radius * 1.05);
  round.addColorStop(0, toCss(mix(colour, mix(light.sun, [255, 255, 255], 0.4), 0.75)));
  round.addColorStop(0.3, toCss(mix(colour, light.sun, 0.15)));
  round.addColorStop(0.75, toCss(mix(colour, light.ground, 0.4)));
  round.addColorStop(1, toCss(mix(colour, light.ground, 0.75)));
  context.fillStyle = round;
  context.beginPath();
  context.ellipse(x, y, radius, radius * 0.94, 0, 0, Math.PI * 2);
  context.fill();
  context.strokeStyle = toCss(mix([70, 44, 24], light.ground, 0.3));
  context.lineWidth = radius * 0.09;
  context.beginPath();
  context.moveTo(x, y - radius * 0.8);
  context.quadraticCurveTo(x + radius * 0.05, y - radius * 1.05, x + radius * 0.2, y - radius * 1.2);
  context.stroke();
}

function paintBananas(easel: Easel, x: number, y: number, size: number): void {
  const { context, light } = easel;
  paintShadow(easel, x, y - size * 0.02, size * 0.75);
  const peel = mix(parseColour('#f4c934'), light.ground, light.isNight ? 0.3 : 0.06);
  for (let banana = 0; banana < 3; banana += 1) {
    context.save();
    context.translate(x - size * 0.6, y - size * 0.32);
    context.rotate(-0.2 + banana * 0.17);
    const shade = context.createLinearGradient(0, -size * 0.12, 0, size * 0.36);
    shade.addColorStop(0, toCss(mix(peel, light.sun, 0.45)));
    shade.addColorStop(0.55, toCss(mix(peel, [150, 90, 10], 0.12)));
    shade.addColorStop(1, toCss(mix(peel, [90, 50, 20], 0.6)));
    context.fillStyle = shade;
    context.beginPath();
    context.moveTo(0, -size * 0.05);
    context.bezierCurveTo(size * 0.25, size * 0.28, size * 0.85, size * 0.36, size * 1.22, -size * 0.08);
    context.lineTo(size * 1.26, -size * 0.03);
    context.bezierCurveTo(size * 1.05, size * 0.5, size * 0.25, size * 0.55, -size * 0.03, 0);
    context.fill();
    context.fillStyle = toCss(mix([84, 62, 22], light.ground, 0.3));
    context.beginPath();
    context.ellipse(size * 1.235, -size * 0.055, size * 0.03, size * 0.02, -0.8, 0, Math.PI * 2);
    context.fill();
    context.restore();
  }
  context.fillStyle = toCss(mix([120, 96, 34], light.ground, 0.25));
  context.beginPath();
  context.ellipse(x - size * 0.61, y - size * 0.38, size * 0.035, size * 0.09, -0.3, 0, Math.PI * 2);
  context.fill();
}
