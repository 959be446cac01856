/** What must hold after every step, and at the end of a history. */
import type { Page } from 'playwright-core';
import type { Entry } from '../../../shared/contract.ts';
import { findCoveredText, findOverflow } from '../support/layout.ts';
import { button, generateButton, promptField, tryToSignIn, waitForBalance } from '../support/steps.ts';
import { endFaults } from './actions.ts';
import { readView, type View } from './controls.ts';
import { setNetwork, type World } from './world.ts';

const settleMsMax = 3_000;
const openMsMax = 20_000;
const makingMsMax = 60_000;

/** What is wrong now, or undefined. A state that passes by itself is not wrong. */
export async function findProblem(world: World): Promise<string | undefined> {
  const [unexpected] = world.window.unexpectedProblems();
  if (unexpected) return unexpected;
  if (world.keys.size > world.wishes)
    return `the user asked for ${world.wishes} images, and the page for ${world.keys.size}`;
  const packPresses = world.pressedIn.pack.size;
  if (world.checkoutKeys.size > packPresses)
    return `the user pressed a pack in ${packPresses} steps, and the page bought ${world.checkoutKeys.size} times`;
  return (
    (await lasting(world.page, () => findFaultOfLayout(world.page))) ??
    (await lasting(world.page, () => findWrongBalance(world)))
  );
}

/** A fault that is still there after a while. */
async function lasting(page: Page, find: () => Promise<string | undefined>): Promise<string | undefined> {
  const until = Date.now() + settleMsMax;
  for (;;) {
    const found = await find().catch(ignoreNavigation);
    if (!found || Date.now() > until) return found;
    await page.waitForTimeout(150);
  }
}

/** A page that is about to be left, or whose document has just begun, shows nothing yet. */
function ignoreNavigation(error: unknown): undefined {
  if (/context was destroyed|navigat|closed|properties of null/i.test(String(error))) return undefined;
  throw error;
}

async function findFaultOfLayout(page: Page): Promise<string | undefined> {
  if (!new URL(page.url()).pathname.startsWith('/studio')) return undefined;
  const overflow = await findOverflow(page);
  if (overflow.length > 0) return overflow.join('\n');
  const [covered] = await findCoveredText(page);
  return covered;
}

/** The page shows the balance of its newest receipt, or of an entry after it. */
async function findWrongBalance({
  page,
  receipts,
  studio,
  user,
  network,
}: World): Promise<string | undefined> {
  const { place, balance } = await readView(page);
  const newest = receipts.get(page);
  if (place !== 'studio' || !newest || network !== 'online' || balance === newest.balance) return undefined;
  const entries = await studio.listEntries(user);
  const isLater = (entry: Entry) => entry.sequence > newest.sequence && entry.balance === balance;
  // An admin's edit that has no entry yet.
  if (entries.some(isLater) || (entries[0]?.sequence ?? 0) <= newest.sequence) return undefined;
  return `the page shows ${balance} credits; its newest receipt says ${newest.balance} at ${newest.sequence}`;
}

/** Waits until the page shows something that the user can press. */
export async function waitForControls(world: World): Promise<View> {
  const until = Date.now() + openMsMax;
  for (;;) {
    const view = await readView(world.page).catch(ignoreNavigation);
    if (view && view.controls.length > 0) return view;
    if (Date.now() > until) throw new Error(`nothing can be pressed (${view?.place})`);
    // The browser's own way on, from a page of Stripe that is over.
    if (view?.place === 'elsewhere') await world.page.goBack().catch(() => {});
    // Only a person can open a page again that the browser could not load.
    if (!world.page.url().startsWith('http')) {
      await setNetwork(world, 'online');
      await world.page.goto('/studio').catch(() => {});
    }
    await world.page.waitForTimeout(100);
  }
}

/** The end of a history: all works again, and the user can make an image. @throws what is wrong */
export async function finish(world: World): Promise<void> {
  endFaults(world);
  await setNetwork(world, 'online');
  const { page, studio, user, tabs } = world;
  for (const tab of tabs) if (tab !== page) await tab.close();
  world.tabs = [page];
  await findWayHome(world);
  await page.locator('.making-tile').first().waitFor({ state: 'detached', timeout: makingMsMax });
  checkLedger(world, await studio.listEntries(user));
  await studio.editAccount(user.uid, { balance: 500 });
  await waitForBalance(page, 500);
  await promptField(page).fill('The last one');
  world.wishes += 4;
  await generateButton(page).click();
  const until = Date.now() + makingMsMax;
  // Failures may fill the window, so that its tile is further down.
  while (!(await studio.listImages(user)).some(({ prompt }) => prompt === 'The last one')) {
    if (Date.now() > until) throw new Error('the last image is not made');
    await page.waitForTimeout(300);
  }
  const problem = await findProblem(world);
  if (problem) throw new Error(problem);
}

/** From wherever the user is, by what the page offers. */
async function findWayHome({ page, user }: World): Promise<void> {
  const create = page.getByRole('link', { name: 'Create', exact: true });
  const until = Date.now() + openMsMax;
  // A dialog that was asked for on a slow network may open late.
  for (;;) {
    // The way back from Stripe may be on its way already.
    if (!new URL(page.url()).pathname.startsWith('/studio')) await page.goto('/studio').catch(() => {});
    const view = await readView(page).catch(ignoreNavigation);
    if (view?.place === 'signIn') {
      await tryToSignIn(page, user.email, user.password);
      await button(page, 'Account').waitFor();
    }
    const isClicked = await create.click({ timeout: 1_000 }).then(
      () => true,
      () => false,
    );
    if (isClicked) break;
    if (Date.now() > until) throw new Error('no way back to the studio');
    await page.keyboard.press('Escape');
  }
  await promptField(page).click();
}

/** Each generation is charged once at most, and refunded once at most. @throws what is wrong */
function checkLedger({ wishes, keys, pressedIn }: World, entries: readonly Entry[]): void {
  const of = (type: Entry['type']) => entries.filter((entry) => entry.type === type);
  const debits = of('debit').map(({ generationId }) => generationId);
  const problems = [
    new Set(debits).size < debits.length && 'a generation is charged twice',
    debits.length > keys.size && `${keys.size} images were asked for, and ${debits.length} charged`,
    debits.length > wishes && `the user asked for ${wishes} images, and paid for ${debits.length}`,
    of('purchase').length > pressedIn.payment.size &&
      `the user paid in ${pressedIn.payment.size} steps, and bought ${of('purchase').length} times`,
  ];
  const problem = problems.find(Boolean);
  if (problem) throw new Error(problem);
}
