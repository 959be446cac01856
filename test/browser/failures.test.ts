/** What goes wrong upstream, and on the way: credits come back, and nothing is painted or charged twice. */
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { startCuttableProxy } from './support/cuttableProxy.ts';
import {
  button,
  fillForm,
  generateButton,
  images,
  imageWithPrompt,
  pendingCard,
  promptField,
  signIn,
  submitPrompt,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

/** Each fault is met once, and told to the user: nobody else is asked in place of the model. */
const { studio, openWindow } = useStudio({ RETRY_ATTEMPTS: '1', IMAGEGEN_FALLBACK_MODEL_IDS: '' });

/** Waits of the page, and of the functions, are a few seconds long. */
const patienceMs = 25_000;

/** A window of a new user's own, signed in, with the keys of whatever it asks for. */
async function openAsNewUser({ credits = 20, url = studio().url } = {}) {
  const user = await studio().newUser({ credits });
  const opened = await openWindow({}, url);
  const keys: string[] = [];
  opened.page.on('request', (request) => {
    const key = request.headers()['idempotency-key'];
    if (key && request.method() === 'POST') keys.push(key);
  });
  await signIn(opened.page, user);
  await waitForBalance(opened.page, credits);
  return { ...opened, user, keys };
}

/**
 * Firestore's client says so when its server is out of reach, and asks for a picture of Google's to see whether
 * anything is in reach; the policy forbids it.
 */
const firestoreLooksForTheNetwork = /google\.com\/images\/cleardot|WebChannelConnection .* transport errored/;

type UserWindow = Awaited<ReturnType<typeof openAsNewUser>>;

const failedCall = (status: number) => new RegExp(`Failed to load resource.*status of ${status}.*/generate`);
const countModelCalls = (prompt: string) =>
  studio().gemini.requests.filter(({ body }) => JSON.stringify(body).includes(prompt)).length;
const listCharges = async ({ user }: UserWindow) =>
  (await studio().listEntries(user)).filter(({ type }) => type === 'debit' || type === 'refund');

describe('a failure', () => {
  it('of the model gives the credits back, says so, and another try is a new one', async () => {
    const opened = await openAsNewUser();
    const { page, allow, keys } = opened;
    allow(failedCall(502));
    studio().gemini.script(geminiFault.internal());
    await submitPrompt(page, { prompt: 'A broken vase', tier: 'premium4' });
    const card = pendingCard(page, 'A broken vase');
    await card.getByText('Your 4 credits are back.').waitFor();
    await waitForBalance(page, 20);

    await button(card, 'Copy error').click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('PROVIDER_ERROR');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(keys[0]);

    await button(card, 'Try again').click();
    await imageWithPrompt(page, 'A broken vase').waitFor();
    await waitForBalance(page, 16);
    expect(new Set(keys).size).toBe(2);
    expect((await listCharges(opened)).map(({ amount }) => amount)).toEqual([-4, 4, -4]);
  });

  it('of the image store gives the credits back', async () => {
    const { page, allow } = await openAsNewUser();
    allow(failedCall(502));
    studio().cloudinary.script({ ...cloudinaryFault.error(400), action: 'upload' });
    await submitPrompt(page, { prompt: 'A lost parcel' });
    await pendingCard(page, 'A lost parcel').getByText('Your 1 credit is back.').waitFor();
    await waitForBalance(page, 20);
  });

  it('that is the prompt’s own fault says what to change', async () => {
    const { page, allow } = await openAsNewUser();
    allow(failedCall(422));
    studio().gemini.script(geminiFault.promptBlocked());
    await submitPrompt(page, { prompt: 'Something forbidden', tier: 'premium2' });
    const card = pendingCard(page, 'Something forbidden');
    await card.getByText('Please change the prompt.').waitFor();
    await card.getByText('Your 2 credits are back.').waitFor();
    await waitForBalance(page, 20);
  });

  it('for want of credits charges nothing, and can be put away', async () => {
    const { page, allow } = await openAsNewUser({ credits: 3 });
    allow(failedCall(402));
    await submitPrompt(page, { prompt: 'A palace', tier: 'premium4' });
    const card = pendingCard(page, 'A palace');
    await card.getByText('This takes 4 credits; the account has 3.').waitFor();
    await card.getByText('You were not charged.').waitFor();
    await waitForBalance(page, 3);
    expect(countModelCalls('A palace')).toBe(0);
    await button(card, 'Dismiss').click();
    await card.waitFor({ state: 'detached' });
  });
});

describe('what no user wished for twice is charged once', () => {
  it.each<[string, (page: Page) => Promise<void>]>([
    ['a double click', (page) => generateButton(page).dblclick()],
    [
      'Enter, held down on the button',
      async (page) => {
        await generateButton(page).focus();
        await hold(page, 'Enter');
      },
    ],
    [
      'Ctrl and Enter, held down in the prompt',
      async (page) => {
        await promptField(page).focus();
        await page.keyboard.down('Control');
        await hold(page, 'Enter');
        await page.keyboard.up('Control');
      },
    ],
  ])('%s', async (_, act) => {
    const opened = await openAsNewUser();
    const { page, keys } = opened;
    await fillForm(page, { prompt: 'A lonely tree' });
    await act(page);
    await imageWithPrompt(page, 'A lonely tree').waitFor();
    expect(keys).toHaveLength(1);
    // Whoever does wish for another gets it, and with it whatever was asked for before it.
    await generateButton(page).click();
    await waitForBalance(page, 18);
    expect((await listCharges(opened)).map(({ amount }) => amount)).toEqual([-1, -1]);
  });

  async function hold(page: Page, key: string): Promise<void> {
    for (let times = 0; times < 5; times += 1) await page.keyboard.down(key);
    await page.keyboard.up(key);
  }
});

describe('a painting that is under way', () => {
  /** Asks for an image and has it held while it is being painted. */
  async function underWay(page: Page, prompt: string) {
    const hold = studio().pauseNextImage();
    await submitPrompt(page, { prompt, tier: 'premium2' });
    await hold.reached;
    await pendingCard(page, prompt).getByText('Painting…').waitFor();
    return hold;
  }

  const expectChargedOnce = async (opened: UserWindow) => {
    expect((await listCharges(opened)).map(({ amount }) => amount)).toEqual([-2]);
    await waitForBalance(opened.page, 18);
  };

  it('outlasts a lost connection: one image, charged once', async () => {
    const proxy = await startCuttableProxy(studio().url);
    onTestFinished(proxy.end);
    const opened = await openAsNewUser({ url: proxy.url });
    const { page, context, allow, keys } = opened;
    allow(/Failed to load resource: net::ERR_/, firestoreLooksForTheNetwork);
    const hold = await underWay(page, 'A bridge');
    await context.setOffline(true);
    proxy.cut();
    await pendingCard(page, 'A bridge').getByText('No connection. Asking again').waitFor();
    hold.release();
    await expect.poll(async () => (await studio().listImages(opened.user)).length).toBe(1);
    proxy.restore();
    await context.setOffline(false);
    await imageWithPrompt(page, 'A bridge').waitFor({ timeout: patienceMs });
    expect(await images(page).count()).toBe(1);
    expect(new Set(keys).size).toBe(1);
    expect(countModelCalls('A bridge')).toBe(1);
    await expectChargedOnce(opened);
  });

  it('is found again after a reload, and ends as if nothing had been', async () => {
    const opened = await openAsNewUser();
    const { page, allow, keys } = opened;
    allow(failedCall(409));
    const hold = await underWay(page, 'A river');
    await page.reload();
    await pendingCard(page, 'A river').getByText('Painting…').waitFor();
    hold.release();
    await imageWithPrompt(page, 'A river').waitFor({ timeout: patienceMs });
    expect(new Set(keys).size).toBe(1);
    expect(countModelCalls('A river')).toBe(1);
    await expectChargedOnce(opened);
  });

  it('is finished while nobody looks', async () => {
    const opened = await openAsNewUser();
    const { page, context, user } = opened;
    const hold = await underWay(page, 'A well');
    await page.close();
    hold.release();
    await expect.poll(async () => (await studio().listImages(user)).length, { timeout: 10_000 }).toBe(1);
    const back = await context.newPage();
    await back.goto('/studio');
    await imageWithPrompt(back, 'A well').waitFor();
    expect(await images(back).count()).toBe(1);
    await expectChargedOnce({ ...opened, page: back });
  });
});

describe('several at once', () => {
  it('are painted beside each other up to the limit, and those beyond it wait their turn', async () => {
    const opened = await openAsNewUser();
    const { page, allow } = opened;
    allow(failedCall(429));
    const pauses = Array.from({ length: 4 }, () => studio().pauseNextImage());
    for (const prompt of ['One', 'Two', 'Three', 'Four']) await submitPrompt(page, { prompt });
    await Promise.all(pauses.map(({ reached }) => reached));
    await waitForBalance(page, 16);
    await submitPrompt(page, { prompt: 'Five' });
    await pendingCard(page, 'Five').getByText('Asking again').waitFor();
    expect(countModelCalls('Five')).toBe(0);

    for (const hold of pauses) hold.release();
    for (const prompt of ['One', 'Two', 'Three', 'Four', 'Five']) {
      await imageWithPrompt(page, prompt).waitFor({ timeout: patienceMs });
    }
    await waitForBalance(page, 15);
    expect((await listCharges(opened)).map(({ amount }) => amount)).toEqual([-1, -1, -1, -1, -1]);
  });
});
