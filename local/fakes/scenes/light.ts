import { type Colour, parseColour, shiftHue } from './colour.ts';

/** The colours of a time of day. */
export type Light = {
  /** From the zenith to the horizon. */
  sky: readonly Colour[];
  /** The sun or the moon, and what it shines on. */
  sun: Colour;
  /** What is far away fades into this. */
  haze: Colour;
  /** What is near and in the shade. */
  ground: Colour;
  isNight: boolean;
};

const colours = {
  dawn: [['#5878b4', '#a3b4d8', '#f3c4bb', '#fdebd3'], '#fff0d2', '#e6c6c8', '#26324c'],
  day: [['#2a6fbd', '#66abe2', '#b4daf0', '#eaf5f6'], '#fffbe6', '#bfd9ea', '#17433f'],
  dusk: [['#1c1a4c', '#6d3577', '#e8805b', '#ffd49a'], '#ffdca6', '#d98378', '#191433'],
  night: [['#040819', '#0b1838', '#1b3063', '#3b5590'], '#e9f0ff', '#2b4377', '#03060f'],
  storm: [['#252e3a', '#465461', '#7b8a94', '#b3bdbd'], '#e6ecea', '#87959d', '#131a22'],
} as const;

export type LightName = keyof typeof colours;
export const lightNames = Object.keys(colours) as LightName[];

/** @param hue degrees by which all colours are turned */
export function createLight(name: LightName, hue: number): Light {
  const [sky, sun, haze, ground] = colours[name];
  const toColour = (hex: string) => shiftHue(parseColour(hex), hue);
  return {
    sky: sky.map(toColour),
    sun: toColour(sun),
    haze: toColour(haze),
    ground: toColour(ground),
    isNight: name === 'night',
  };
}
