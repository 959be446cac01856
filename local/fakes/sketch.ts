import { z } from 'zod';
import { paintBalloons } from './scenes/balloons.ts';
import { paintCity } from './scenes/city.ts';
import { paintDunes } from './scenes/dunes.ts';
import { createRandom, type Scene } from './scenes/easel.ts';
import { paintFlowers } from './scenes/flowers.ts';
import { paintForest } from './scenes/forest.ts';
import { type LightName, lightNames } from './scenes/light.ts';
import { paintMountains } from './scenes/mountains.ts';
import { paintPlanets } from './scenes/planets.ts';
import { paintRibbons } from './scenes/ribbons.ts';
import { paintSea } from './scenes/sea.ts';
import { paintStillLife } from './scenes/stillLife.ts';
import { type Weather, weathers } from './scenes/weather.ts';

/** The scenes, and how the words begin that ask for one. */
export const scenes = {
  mountains: {
    paint: paintMountains,
    words: 'mountain alp peak summit valley hill ridge train cabin castle bear wolf',
  },
  sea: {
    paint: paintSea,
    words:
      'sea ocean beach lighthouse boat ship sail island coast harbour harbor whale fish wave lake pirate',
  },
  city: {
    paint: paintCity,
    words: 'city cities skyline street shop tower neon skyscraper palace building town cafe robot car bridge',
  },
  forest: {
    paint: paintForest,
    words: 'forest wood tree fox deer owl autumn leaf leaves mushroom fairy jungle path snail',
  },
  dunes: { paint: paintDunes, words: 'dune desert sand camel pyramid oasis sahara canyon' },
  planets: {
    paint: paintPlanets,
    words: 'planet space moon mars star astronaut galax rocket cosmos comet alien saturn',
  },
  flowers: {
    paint: paintFlowers,
    words: 'flower orchid rose tulip botanical garden bloom meadow butterfl bee hummingbird spring petal',
  },
  balloons: { paint: paintBalloons, words: 'balloon sky cloud kite plane dragon fly flying bird' },
  stillLife: {
    paint: paintStillLife,
    words:
      'banana fruit apple orange pear vase table bowl bottle cup kitchen bread still teapot cat portrait',
  },
  ribbons: {
    paint: paintRibbons,
    words: 'abstract ribbon silk pattern colour color bubble glass smoke music wallpaper fabric liquid',
  },
} as const satisfies Record<string, { paint: Scene; words: string }>;
type SceneName = keyof typeof scenes;
export const sceneNames = Object.keys(scenes) as SceneName[];

const lightWords: Record<LightName, string> = {
  dawn: 'dawn sunrise morning mist fog pastel',
  day: 'day noon bright sunny summer blue midday',
  dusk: 'dusk sunset evening golden twilight warm autumn',
  night: 'night midnight neon dark starry moonlight moonlit',
  storm: 'storm rain grey gray overcast winter noir',
};
/** The choice if the prompt names no light: the bright ones. */
const usualLights: readonly LightName[] = ['dawn', 'day', 'day', 'dusk', 'dusk'];
const weatherWords: Record<Weather, string> = {
  snow: 'snow winter blizzard christmas',
  rain: 'rain storm drizzle monsoon',
  leaves: 'autumn fall',
  birds: 'bird gull flock swallow',
};
const weatherNames = Object.keys(weathers) as Weather[];

const sketchSchema = z.object({
  prompt: z.string(),
  /** The prompt of the image that was edited. */
  parentPrompt: z.string().optional(),
  scene: z.enum(sceneNames),
  /** Decides where everything is. */
  seed: z.string(),
  light: z.enum(lightNames),
  /** Degrees by which the colours are turned. */
  hue: z.number(),
  weather: z.array(z.enum(weatherNames)),
});

/** What a picture shows. It is written into the picture, so that an edit of it shows the same scene. */
export type Sketch = z.infer<typeof sketchSchema>;

/** Reads the sketch of a picture; undefined if it is not one of the fake's. */
export function parseSketch(json: string | undefined): Sketch | undefined {
  try {
    return sketchSchema.safeParse(JSON.parse(json ?? '')).data;
  } catch {
    return undefined;
  }
}

/** How many words of the prompt begin with each of these. */
const countMatches = (prompt: string, beginnings: string) => {
  const words = prompt.toLowerCase().match(/\p{L}+/gu) ?? [];
  return words.filter((word) => beginnings.split(' ').some((beginning) => word.startsWith(beginning))).length;
};

/** The name that most words of the prompt ask for. */
function findName<Name extends string>(
  prompt: string,
  names: readonly Name[],
  words: (name: Name) => string,
) {
  const counts = names.map((name) => countMatches(prompt, words(name)));
  const most = Math.max(...counts);
  return most > 0 ? names[counts.indexOf(most)] : undefined;
}

/**
 * Decides by the words of the prompt what its picture shows. What they leave open depends on the prompt and on
 * `variant`, and is the same each time.
 * @param variant how often the prompt was drawn before
 * @param parent the image that the prompt changes
 */
export function createSketch(prompt: string, variant: number, parent?: Sketch): Sketch {
  const seed = `${prompt} ${variant}`;
  const random = createRandom(`sketch ${seed}`);
  const pick = <Name>(names: readonly Name[]) => names[Math.floor(random() * names.length)] as Name;
  const scene = findName(prompt, sceneNames, (name) => scenes[name].words);
  const light = findName(prompt, lightNames, (name) => lightWords[name]);
  const weather = weatherNames.filter((name) => countMatches(prompt, weatherWords[name]) > 0);
  const own = {
    scene: scene ?? pick(sceneNames),
    light: light ?? pick(usualLights),
    hue: random() * 36 - 18,
  };
  if (parent === undefined) return { prompt, seed, ...own, weather };
  // A change that the fake does not understand turns the colours, so that it is visible. So does a second try.
  const isUnderstood = light !== undefined || weather.length > 0;
  const turn = isUnderstood && variant === 0 ? 0 : (random() < 0.5 ? -1 : 1) * (30 + 30 * random());
  return {
    prompt,
    parentPrompt: parent.prompt,
    scene: parent.scene,
    seed: parent.seed,
    light: light ?? parent.light,
    hue: parent.hue + turn,
    weather: weatherNames.filter((name) => weather.includes(name) || parent.weather.includes(name)),
  };
}
