/** Red, green and blue, each from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Parses `#rrggbb`. */
export function parseColour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The colour between two: `part` 0 is the first, 1 the second. */
export function mix(from: Colour, to: Colour, part: number): Colour {
  const between = (index: 0 | 1 | 2) => from[index] + (to[index] - from[index]) * part;
  return [between(0), between(1), between(2)];
}

export const toCss = ([red, green, blue]: Colour, alpha = 1) =>
  `rgba(${Math.round(red)}, ${Math.round(green)}, ${Math.round(blue)}, ${alpha})`;

/** Turns the hue around the grey axis, as CSS `hue-rotate` does. */
export function shiftHue([red, green, blue]: Colour, degrees: number): Colour {
  const angle = (degrees * Math.PI) / 180;
  const cosine = Math.cos(angle);
  const across = (1 - cosine) / 3;
  const along = Math.sqrt(1 / 3) * Math.sin(angle);
  const turn = (a: number, b: number, c: number) =>
    Math.min(255, Math.max(0, a * (cosine + across) + b * (across - along) + c * (across + along)));
  return [turn(red, green, blue), turn(green, blue, red), turn(blue, red, green)];
}
