/** What the random user does. Each action picks among what the page shows, and returns what it did. */
import { cloudinaryFault } from '../../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import type { Random } from '../../simulation/random.ts';
import { type Control, takeWishes, type View } from './controls.ts';
import { openTab, setNetwork, type World } from './world.ts';

type Action = (world: World, view: View, random: Random) => Promise<string | undefined>;

/** Accounts of other people, and windows of Google. */
const isForbidden = ({ name }: Control) => /^Continue (as|with)|reate an? ?account|Forgot/.test(name);

/** Presses at a place, and counts what the user meant by it. */
async function press(world: World, { x, y }: Control, times: number): Promise<void> {
  const { page } = world;
  // A page that is left at the first press ends the call.
  await page.mouse.click(x, y, { clickCount: times }).catch(() => {});
  world.wishes += await takeWishes(page);
}

const pressSome =
  (times: number): Action =>
  async (world, { controls }, random) => {
    const choices = controls.filter((one) => one.kind !== 'text' && !isForbidden(one));
    // A session is long: the user seldom ends it.
    const likely = choices.filter(({ name }) => !/^(Sign out|Delete image)/.test(name) || random.chance(0.2));
    if (likely.length === 0) return undefined;
    const control = random.pick(likely);
    await press(world, control, times);
    return `${times === 1 ? 'press' : 'press twice'} “${control.name}”`;
  };

const keys = [
  ...['Tab', 'Tab', 'Tab', 'Shift+Tab', 'Enter', 'Enter', 'Space', 'Escape', 'Control+Enter'],
  ...['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Delete', '?', '/', 'Home', 'End', 'PageDown'],
];

const pressKey: Action = async (world, { place }, random) => {
  if (place === 'signIn' || place === 'elsewhere') return undefined;
  const key = random.pick(keys);
  const times = random.chance(0.3) ? 2 : 1;
  const { page } = world;
  for (let i = 0; i < times; i += 1) await page.keyboard.press(key).catch(() => {});
  world.wishes += await takeWishes(page);
  return `key ${key}${times > 1 ? ' twice' : ''}`;
};

function makeText(random: Random): string {
  const words = [
    'a fox',
    'the moon',
    'ein Garten',
    'über alles',
    'صورة قمر',
    '写真',
    '🦊🌙',
    'ramen',
    'snow',
  ];
  const kind = random.weighted({ short: 10, long: 2, tooLong: 1, blank: 1, word: 2 });
  if (kind === 'blank') return '   ';
  if (kind === 'word') return 'x'.repeat(random.whole(60, 200));
  const text = `${random.pick(words)} ${random.pick(words)} ${random.whole(0, 9)}`;
  return kind === 'short' ? text : `${text}, `.repeat(kind === 'long' ? 20 : 400);
}

const type: Action = async (world, { place, controls }, random) => {
  const fields = controls.filter(({ kind }) => kind === 'text');
  if (place !== 'studio' || fields.length === 0) return undefined;
  const { name, x, y } = random.pick(fields);
  await world.page.mouse.click(x, y);
  if (random.chance(0.7)) await world.page.keyboard.press('Control+A');
  const text = makeText(random);
  await world.page.keyboard.insertText(text);
  return `type “${text.slice(0, 30)}” into “${name}”`;
};

const signIn: Action = async ({ page, user }, { place }, random) => {
  if (place !== 'signIn') return undefined;
  const isRight = random.chance(0.8);
  // Another tab may sign in meanwhile.
  const fill = (name: string, value: string) =>
    page
      .getByLabel(name, { exact: true })
      .fill(value, { timeout: 1_000 })
      .catch(() => {});
  await fill('E-mail', user.email);
  await fill('Password', isRight ? user.password : 'wrong');
  await page.keyboard.press('Enter').catch(() => {});
  return isRight ? 'sign in' : 'sign in with a wrong password';
};

const back: Action = async ({ page, network }, { place }, random) => {
  if (network === 'offline') return undefined;
  const forward = random.chance(0.2);
  await (forward ? page.goForward({ timeout: 5_000 }) : page.goBack({ timeout: 5_000 })).catch(() => {});
  // Before the studio there is an empty page.
  if (page.url().startsWith('http')) return `${forward ? 'forward' : 'back'} from ${place}`;
  await page.goto('/studio').catch(() => {});
  return 'back out of the studio, and in again';
};

const reload: Action = async ({ page, network }) => {
  if (network === 'offline') return undefined;
  await page.reload({ timeout: 15_000 }).catch(() => {});
  return 'reload';
};

const changeTab: Action = async (world, _, random) => {
  const { tabs } = world;
  if (tabs.length === 1 || (tabs.length < 3 && random.chance(0.3))) {
    if (world.network === 'offline') return undefined;
    await openTab(world);
    return 'open a tab';
  }
  if (random.chance(0.4)) {
    world.tabs = tabs.filter((one) => one !== world.page);
    await world.page.close();
  }
  world.page = random.pick(world.tabs);
  await world.page.bringToFront();
  return `go to tab ${world.tabs.indexOf(world.page) + 1} of ${world.tabs.length}`;
};

const changeNetwork: Action = async (world, _, random) => {
  const network = world.network === 'online' ? random.pick(['slow', 'offline'] as const) : 'online';
  await setNetwork(world, network);
  return `the network is ${network}`;
};

const modelFaults = {
  internal: geminiFault.internal,
  highDemand: geminiFault.highDemand,
  perMinute: () => geminiFault.perMinute(1),
  blocked: geminiFault.promptBlocked,
  safety: () => geminiFault.noImage('IMAGE_SAFETY'),
  reset: geminiFault.reset,
  delay: () => geminiFault.delay(1_500),
  cutOff: geminiFault.cutOff,
  badReference: geminiFault.badReference,
};
const storeFaults = {
  error: () => cloudinaryFault.error(500),
  refusal: () => cloudinaryFault.error(400),
  storedThenReset: cloudinaryFault.storedThenReset,
};

const failOnce: Action = async ({ studio }, _, random) => {
  if (random.chance(0.3)) {
    const name = random.pick(Object.keys(storeFaults) as (keyof typeof storeFaults)[]);
    studio.cloudinary.always({ ...storeFaults[name](), action: 'upload' });
    return `the image store: ${name}`;
  }
  const name = random.pick(Object.keys(modelFaults) as (keyof typeof modelFaults)[]);
  studio.gemini.always(modelFaults[name]());
  return `the model: ${name}`;
};

export function endFaults({ studio, pauses }: World): void {
  studio.gemini.always(undefined);
  studio.cloudinary.always(undefined);
  for (const pause of pauses.splice(0)) pause.release();
}

const heal: Action = async (world) => {
  endFaults(world);
  return 'all works';
};

const pauseImage: Action = async ({ studio, pauses }) => {
  if (pauses.length >= 3) return undefined;
  pauses.push(studio.pauseNextImage());
  return 'the next image takes long';
};

/** The answer to the next call of `generate` is lost, before or after it has reached the functions. */
const loseAnswer: Action = async ({ window }, _, random) => {
  const isAfter = random.chance(0.6);
  await window.context.route(
    '**/generate',
    async (route) => {
      if (isAfter) await route.fetch().catch(() => {});
      await route.abort('connectionreset').catch(() => {});
    },
    { times: 1 },
  );
  return `the next answer is lost ${isAfter ? 'after' : 'before'} the work`;
};

/** What an admin does in the Firestore console. */
const editBalance: Action = async ({ studio, user }, _, random) => {
  const balance = random.pick([0, 5, 100]);
  await studio.editAccount(user.uid, { balance });
  return `an admin sets the balance to ${balance}`;
};

const scroll: Action = async ({ page }, _, random) => {
  const pixels = random.pick([-2_000, -300, 300, 2_000]);
  await page.mouse.wheel(0, pixels).catch(() => {});
  return `scroll by ${pixels}`;
};

const wait: Action = async ({ page }, _, random) => {
  const ms = random.whole(50, 800);
  await page.waitForTimeout(ms);
  return `wait for ${ms} ms`;
};

const create: Action = async (world, { controls }, random) => {
  const button = controls.find(({ name }) => /^Create · /.test(name));
  const prompt = controls.find(({ name, kind }) => kind === 'text' && name === 'Prompt');
  const times = random.chance(0.4) ? 2 : 1;
  if (prompt && random.chance(0.3)) {
    await world.page.mouse.click(prompt.x, prompt.y);
    for (let i = 0; i < times; i += 1) await world.page.keyboard.press('Control+Enter').catch(() => {});
    world.wishes += await takeWishes(world.page);
    return `Control+Enter in the prompt${times > 1 ? ' twice' : ''}`;
  }
  if (!button) return undefined;
  await press(world, button, times);
  return `press “${button.name}”${times > 1 ? ' twice' : ''}`;
};

export const actions = {
  press: [pressSome(1), 36],
  pressTwice: [pressSome(2), 12],
  create: [create, 6],
  key: [pressKey, 16],
  type: [type, 10],
  signIn: [signIn, 12],
  back: [back, 3],
  reload: [reload, 2],
  tab: [changeTab, 3],
  network: [changeNetwork, 4],
  fail: [failOnce, 2],
  heal: [heal, 4],
  pause: [pauseImage, 2],
  lose: [loseAnswer, 1],
  edit: [editBalance, 1],
  scroll: [scroll, 4],
  wait: [wait, 4],
} satisfies Record<string, [Action, number]>;

export type ActionName = keyof typeof actions;
