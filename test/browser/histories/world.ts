/** One user of a history with all their tabs, and what a check must know of them. */
import type { Browser, CDPSession, Page, Response } from 'playwright-core';
import { createBlankPicture } from '../../../local/fakes/blankPicture.ts';
import type { Receipt } from '../../../shared/contract.ts';
import type { Random } from '../../simulation/random.ts';
import type { User } from '../support/accounts.ts';
import { type BrowserWindow, type Look, openBrowserWindow } from '../support/browserWindow.ts';
import type { Pause } from '../support/pauses.ts';
import type { Studio } from '../support/studio.ts';
import { countWishes, type PurchasePress, watchPurchases } from './controls.ts';

export type Network = 'online' | 'slow' | 'offline';

export type World = {
  studio: Studio;
  user: User;
  window: BrowserWindow;
  random: Random;
  tabs: Page[];
  page: Page;
  network: Network;
  pauses: Pause[];
  /** The images that the user has asked for, and the Idempotency-Keys that the page has sent for them. */
  wishes: number;
  keys: Set<string>;
  /** The steps in which the user pressed a pack, or a way to pay: pressing twice in one step buys once. */
  pressedIn: Record<PurchasePress, Set<number>>;
  /** The Idempotency-Keys that the page has sent for purchases. */
  checkoutKeys: Set<string>;
  /** The receipt with the highest sequence that each tab has had since it was loaded. */
  receipts: WeakMap<Page, Pick<Receipt, 'balance' | 'sequence'>>;
  sessions: WeakMap<Page, CDPSession>;
  trace: string[];
};

const looks: Look[] = [
  { size: { width: 1440, height: 900 } },
  { size: { width: 390, height: 844 }, touch: true },
  { size: { width: 820, height: 1180 }, colorScheme: 'dark' },
  { size: { width: 320, height: 568 }, touch: true },
];

/** What a browser logs by itself when a request fails, and Firestore's client when it is offline. */
const expected = [
  /Failed to load resource/,
  /google\.com\/images\/cleardot/,
  /WebChannelConnection .* transport errored/,
  /Could not reach Cloud Firestore backend/,
  /Firestore \(.*\): (Connection|FirebaseError)/,
  // Of the fake Stripe's pages, which Chromium asks for an icon.
  /favicon/,
];

export async function openWorld(
  studio: Studio,
  browser: Browser,
  random: Random,
  number: number,
): Promise<World> {
  const user = await studio.newUser({ credits: random.pick([3, 40, 400]) });
  const look = { ...looks[number % looks.length], reducedMotion: 'reduce' } as const;
  const window = await openBrowserWindow(browser, studio, look);
  window.allow(...expected);
  const world: World = {
    studio,
    user,
    window,
    random,
    tabs: [window.page],
    page: window.page,
    network: 'online',
    pauses: [],
    wishes: 0,
    keys: new Set(),
    pressedIn: { pack: new Set(), payment: new Set() },
    checkoutKeys: new Set(),
    receipts: new WeakMap(),
    sessions: new WeakMap(),
    trace: [],
  };
  await countWishes(window.context);
  await watchPurchases(window.context, (pressed) => world.pressedIn[pressed].add(world.trace.length));
  await window.page.reload();
  watch(world, window.page);
  window.context.on('request', (request) => {
    const key = request.headers()['idempotency-key'];
    if (!key || request.method() !== 'POST') return;
    if (request.url().endsWith('/generate')) world.keys.add(key);
    if (request.url().endsWith('/checkout')) world.checkoutKeys.add(key);
  });
  // A page that the studio opens, such as a shared image.
  window.context.on('page', (page) => {
    setTimeout(() => {
      if (!world.tabs.includes(page)) void page.close().catch(() => {});
    }, 500);
  });
  return world;
}

/** Follows the receipts of a tab, and picks files and answers questions of the browser in it. */
function watch(world: World, page: Page): void {
  page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
  page.on('domcontentloaded', () => world.receipts.delete(page));
  page.on('response', (response) => void readReceipt(world, page, response).catch(() => {}));
  page.on('filechooser', async (chooser) => {
    const buffer = await createBlankPicture({ width: 64, height: 48, mimeType: 'image/png' });
    const files = [
      [{ name: 'a.png', mimeType: 'image/png', buffer }],
      [{ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('no image') }],
      [],
    ];
    await chooser.setFiles(world.random.pick(files)).catch(() => {});
  });
}

async function readReceipt({ receipts }: World, page: Page, response: Response): Promise<void> {
  if (!/\/(generate|account|confirmCheckout)$/.test(new URL(response.url()).pathname)) return;
  const { account, receipt } = (await response.json()) as Record<'account' | 'receipt', Receipt | undefined>;
  const found = receipt ?? account;
  if (found && found.sequence > (receipts.get(page)?.sequence ?? -1)) receipts.set(page, found);
}

/** Opens another tab of the same browser, and looks at it. */
export async function openTab(world: World): Promise<void> {
  const page = await world.window.context.newPage();
  world.tabs.push(page);
  world.page = page;
  watch(world, page);
  await page.goto('/studio');
}

export async function setNetwork(world: World, network: Network): Promise<void> {
  const { context } = world.window;
  world.network = network;
  if (network === 'offline') await context.setOffline(true);
  for (const tab of world.tabs) {
    const session = world.sessions.get(tab) ?? (await context.newCDPSession(tab));
    world.sessions.set(tab, session);
    await session.send('Network.emulateNetworkConditions', {
      offline: network === 'offline',
      latency: network === 'slow' ? 300 : 0,
      downloadThroughput: network === 'slow' ? 100_000 : -1,
      uploadThroughput: network === 'slow' ? 50_000 : -1,
    });
  }
  // Last, because the page goes on as soon as it hears of it.
  if (network !== 'offline') await context.setOffline(false);
}
