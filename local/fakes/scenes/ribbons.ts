import { type Colour, mix, shiftHue, toCss } from './colour.ts';
import { createNoise, type Easel, paintGlow } from './easel.ts';

const strands = 44;
const steps = 90;

/** Ribbons of silk that twist through the dark. */
export function* paintRibbons(easel: Easel): Generator<void> {
  const { context, width, height, unit, light, random } = easel;
  const [zenith = light.ground, middle = light.haze, low = light.sun] = light.sky;
  const dark = mix(zenith, [6, 4, 14], 0.72);
  const back = context.createLinearGradient(0, 0, width, height);
  back.addColorStop(0, toCss(mix(dark, middle, 0.25)));
  back.addColorStop(1, toCss(dark));
  context.fillStyle = back;
  context.fillRect(0, 0, width, height);
  for (const colour of [middle, low]) {
    paintGlow(easel, { x: random() * width, y: random() * height, radius: unit }, colour, 0.5);
  }
  const turn = random() * 60 - 30;
  const palettes: readonly (readonly [Colour, Colour])[] = [
    [middle, low],
    [shiftHue(low, 40 + turn), light.sun],
    [shiftHue(middle, -70 + turn), shiftHue(low, 20)],
    [low, light.sun],
  ];
  for (const [from, to] of palettes) {
    yield;
    paintRibbon(easel, from, to);
  }
}

/** One ribbon: strands side by side between two edges. Where the edges cross, it shows its back. */
function paintRibbon({ context, width, height, unit, random }: Easel, from: Colour, to: Colour): void {
  const noises = [0, 1, 2, 3].map(() => createNoise(random));
  const middle = height * (0.25 + 0.5 * random());
  const wide = unit * (0.18 + 0.2 * random());
  const rate = 0.45 + 0.35 * random();
  const at = (index: number, x: number) => (noises[index]?.(x * rate) ?? 0) - 0.5;
  const read = (x: number) => {
    const y = middle + unit * 1.1 * at(0, x);
    const twist = Math.sin((x * 0.9 + at(1, x) * 3) * 2);
    return { y, half: wide * (0.25 + 0.75 * twist), twist };
  };
  const points = Array.from({ length: steps + 1 }, (_, step) => {
    const x = ((step / steps) * width * 1.1 - width * 0.05) / unit;
    return { x: x * unit, ...read(x) };
  });
  for (let strand = 0; strand < strands; strand += 1) {
    const across = strand / (strands - 1);
    const sheen = Math.max(0, Math.sin(across * Math.PI * 3 + 0.6)) ** 3;
    const colour = mix(
      mix(mix(from, to, across), [12, 6, 24], 0.5 * (1 - across)),
      [255, 250, 240],
      0.4 * sheen,
    );
    const place = across * 2 - 1;
    const y = (point: (typeof points)[number]) => point.y + point.half * place + unit * 0.05 * place ** 2;
    const next = place + 2 / strands;
    context.beginPath();
    for (const point of points) context.lineTo(point.x, y(point));
    for (const point of points.toReversed()) {
      context.lineTo(point.x, point.y + point.half * next + unit * 0.05 * next ** 2 + unit * 0.0012);
    }
    context.fillStyle = toCss(colour, 0.62);
    context.fill();
  }
}
