/** Failures of the model, the image store and the network: credits are refunded, and nothing is charged twice. */
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { gapMs } from '../../web/state/doubleClicks.ts';
import { startCuttableProxy } from './support/cuttableProxy.ts';
import { hasFocus, hasFocusedElement } from './support/focus.ts';
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

/** Without retries and fallback models, so that each fault reaches the user at once. Nothing is sold. */
const { studio, openWindow } = useStudio({
  RETRY_ATTEMPTS: '1',
  IMAGEGEN_FALLBACK_MODEL_IDS: '',
  CREDIT_PACKS: '',
});

/** The page and the functions may wait for several seconds before a retry. */
const patienceMs = 25_000;

/** Opens a window and signs in as a new user. `keys` collects the Idempotency-Keys that the page sends. */
async function openAsNewUser({ credits = 20, url = studio().url } = {}) {
  const user = await studio().newUser({ credits });
  const userWindow = await openWindow({}, url);
  const keys: string[] = [];
  userWindow.page.on('request', (request) => {
    const key = request.headers()['idempotency-key'];
    if (key && request.method() === 'POST') keys.push(key);
  });
  await signIn(userWindow.page, user);
  await waitForBalance(userWindow.page, credits);
  return { ...userWindow, user, keys };
}

/**
 * When its server is unreachable, Firestore's client logs a warning and loads an image from google.com to test the
 * network, which the page's policy forbids.
 */
const firestoreNetworkCheck = /google\.com\/images\/cleardot|WebChannelConnection .* transport errored/;

type UserWindow = Awaited<ReturnType<typeof openAsNewUser>>;

const failedCall = (status: number) => new RegExp(`Failed to load resource.*status of ${status}.*/generate`);
const countModelCalls = (prompt: string) =>
  studio().gemini.requests.filter(({ body }) => JSON.stringify(body).includes(prompt)).length;
const listCharges = async ({ user }: UserWindow) =>
  (await studio().listEntries(user)).filter(({ type }) => type === 'debit' || type === 'refund');

describe('a failure', () => {
  it('of the model is refunded, says so, and can be tried again under a new key', async () => {
    const userWindow = await openAsNewUser();
    const { page, allow, keys } = userWindow;
    allow(failedCall(502));
    studio().gemini.script(geminiFault.internal());
    await submitPrompt(page, { prompt: 'A broken vase', tier: 'premium4' });
    const card = pendingCard(page, 'A broken vase');
    await card.getByText('Your 4 credits were refunded.').waitFor();
    await waitForBalance(page, 20);

    await button(card, 'Copy error').click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('PROVIDER_ERROR');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(keys[0]);
    const [refund] = await listCharges(userWindow);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(refund?.generationId);
    await card.getByText(`Support code: ${refund?.generationId}`).waitFor();

    await button(card, 'Try again').click();
    await imageWithPrompt(page, 'A broken vase').waitFor();
    await waitForBalance(page, 16);
    expect(new Set(keys).size).toBe(2);
    expect((await listCharges(userWindow)).map(({ amount }) => amount)).toEqual([-4, 4, -4]);
  });

  it('of the image store is refunded', async () => {
    const { page, allow } = await openAsNewUser();
    allow(failedCall(502));
    studio().cloudinary.script({ ...cloudinaryFault.error(400), action: 'upload' });
    await submitPrompt(page, { prompt: 'A lost parcel' });
    await pendingCard(page, 'A lost parcel').getByText('Your 1 credit was refunded.').waitFor();
    await waitForBalance(page, 20);
  });

  it('caused by the prompt says what to change', async () => {
    const { page, allow } = await openAsNewUser();
    allow(failedCall(422));
    studio().gemini.script(geminiFault.promptBlocked());
    await submitPrompt(page, { prompt: 'Something forbidden', tier: 'premium2' });
    const card = pendingCard(page, 'Something forbidden');
    await card.getByText('Please change the prompt.').waitFor();
    await card.getByText('Your 2 credits were refunded.').waitFor();
    await waitForBalance(page, 20);
    // The same prompt would fail again.
    expect(await button(card, 'Try again').count()).toBe(0);
    await promptField(page).fill('Something else');
    await button(card, 'Edit prompt').click();
    await card.waitFor({ state: 'detached' });
    expect(await promptField(page).inputValue()).toBe('Something forbidden');
  });

  it('for insufficient credits charges nothing, and can be dismissed', async () => {
    const { page, allow } = await openAsNewUser({ credits: 3 });
    allow(failedCall(402));
    await submitPrompt(page, { prompt: 'A palace', tier: 'premium4' });
    const card = pendingCard(page, 'A palace');
    await card.getByText('This takes 4 credits; the account has 3.').waitFor();
    await card.getByText('You were not charged.').waitFor();
    await waitForBalance(page, 3);
    expect(countModelCalls('A palace')).toBe(0);
    expect(await page.getByRole('button', { name: /buy/i }).count()).toBe(0);
    // It cannot help until there are more credits.
    expect(await button(card, 'Try again').count()).toBe(0);
    await button(card, 'Choose a smaller size').click();
    await card.waitFor({ state: 'detached' });
    await button(page, 'Create · 2 credits').waitFor();
    expect(await promptField(page).inputValue()).toBe('A palace');
  });

  it('for insufficient credits of an unconfirmed account sends the e-mail again', async () => {
    const user = await studio().newUser({ verified: false });
    const { page, allow } = await openWindow();
    allow(failedCall(402));
    await signIn(page, user);
    await submitPrompt(page, { prompt: 'A shed' });
    const card = pendingCard(page, 'A shed');
    await card.getByText(`Please confirm ${user.email} first`).waitFor();
    expect(await button(card, 'Choose a smaller size').count()).toBe(0);
    await button(card, 'Send the e-mail again').click();
    await expect.poll(() => studio().findMail(user.email, 'VERIFY_EMAIL')).toBeDefined();
  });

  it('hands its focus to the next one, and more than two are one line', async () => {
    const { page, allow } = await openAsNewUser({ credits: 1 });
    allow(failedCall(402));
    const submit = async (prompt: string) => {
      await submitPrompt(page, { prompt, tier: 'premium4' });
      await page.getByRole('region', { name: 'Not made' }).waitFor();
    };
    await submit('One');
    await pendingCard(page, 'One').waitFor();
    await submit('Two');
    await pendingCard(page, 'Two').waitFor();
    await submit('Three');
    await page.getByText('3 images were not made').waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
    await button(page, 'Show').press('Enter');
    expect(await hasFocusedElement(page)).toBe(true);
    await button(pendingCard(page, 'Two'), 'Dismiss').click();
    expect(await hasFocus(button(pendingCard(page, 'One'), 'Dismiss'))).toBe(true);
    await page.keyboard.press('Enter');
    expect(await hasFocus(button(pendingCard(page, 'Three'), 'Dismiss'))).toBe(true);
    await page.keyboard.press('Enter');
    expect(await hasFocus(page.getByRole('heading', { name: 'Your images', exact: true }))).toBe(true);
  });
});

describe('an accidental double submit is charged once', () => {
  it.each<[string, (page: Page) => Promise<void>]>([
    ['a double click', (page) => generateButton(page).dblclick()],
    [
      'Enter held down on the button',
      async (page) => {
        await generateButton(page).focus();
        await holdKey(page, 'Enter');
      },
    ],
    [
      'Ctrl and Enter held down in the prompt',
      async (page) => {
        await promptField(page).focus();
        await page.keyboard.down('Control');
        await holdKey(page, 'Enter');
        await page.keyboard.up('Control');
      },
    ],
  ])('%s', async (_, act) => {
    const userWindow = await openAsNewUser();
    const { page, keys } = userWindow;
    await fillForm(page, { prompt: 'A lonely tree' });
    await act(page);
    await imageWithPrompt(page, 'A lonely tree').waitFor();
    expect(keys).toHaveLength(1);
    // A deliberate second click, later than that of a double click, works; its balance shows that nothing else was charged.
    await page.waitForTimeout(2 * gapMs);
    await generateButton(page).click();
    await waitForBalance(page, 18);
    expect((await listCharges(userWindow)).map(({ amount }) => amount)).toEqual([-1, -1]);
  });

  async function holdKey(page: Page, key: string): Promise<void> {
    for (let times = 0; times < 5; times += 1) await page.keyboard.down(key);
    await page.keyboard.up(key);
  }
});

describe('a running generation', () => {
  /** Submits a prompt, and pauses the generation while the model works on it. */
  async function startPaused(page: Page, prompt: string) {
    const hold = studio().pauseNextImage();
    await submitPrompt(page, { prompt, tier: 'premium2' });
    await hold.reached;
    await pendingCard(page, prompt).getByText('Making …').waitFor();
    return hold;
  }

  const expectChargedOnce = async (userWindow: UserWindow) => {
    expect((await listCharges(userWindow)).map(({ amount }) => amount)).toEqual([-2]);
    await waitForBalance(userWindow.page, 18);
  };

  it('survives a lost connection: one image, charged once', async () => {
    const proxy = await startCuttableProxy(studio().url);
    onTestFinished(proxy.close);
    const userWindow = await openAsNewUser({ url: proxy.url });
    const { page, context, allow, keys } = userWindow;
    allow(/Failed to load resource: net::ERR_/, firestoreNetworkCheck);
    const hold = await startPaused(page, 'A bridge');
    await context.setOffline(true);
    proxy.cut();
    await pendingCard(page, 'A bridge').getByText('No connection. Retrying').waitFor();
    hold.release();
    await expect.poll(async () => (await studio().listImages(userWindow.user)).length).toBe(1);
    proxy.restore();
    await context.setOffline(false);
    await imageWithPrompt(page, 'A bridge').waitFor({ timeout: patienceMs });
    expect(await images(page).count()).toBe(1);
    expect(new Set(keys).size).toBe(1);
    expect(countModelCalls('A bridge')).toBe(1);
    await expectChargedOnce(userWindow);
  });

  it('continues after a reload, and is charged once', async () => {
    const userWindow = await openAsNewUser();
    const { page, allow, keys } = userWindow;
    allow(failedCall(409));
    const hold = await startPaused(page, 'A river');
    await page.reload();
    await pendingCard(page, 'A river').getByText('Making …').waitFor();
    hold.release();
    await imageWithPrompt(page, 'A river').waitFor({ timeout: patienceMs });
    expect(new Set(keys).size).toBe(1);
    expect(countModelCalls('A river')).toBe(1);
    await expectChargedOnce(userWindow);
  });

  it('finishes while no window is open', async () => {
    const userWindow = await openAsNewUser();
    const { page, context, user } = userWindow;
    const hold = await startPaused(page, 'A well');
    await page.close();
    hold.release();
    await expect.poll(async () => (await studio().listImages(user)).length, { timeout: 10_000 }).toBe(1);
    const back = await context.newPage();
    await back.goto('/studio');
    await imageWithPrompt(back, 'A well').waitFor();
    expect(await images(back).count()).toBe(1);
    await expectChargedOnce({ ...userWindow, page: back });
  });
});

describe('several images at once', () => {
  it('run in parallel up to the limit, and further ones wait', async () => {
    const userWindow = await openAsNewUser();
    const { page, allow } = userWindow;
    allow(failedCall(429));
    const pauses = Array.from({ length: 4 }, () => studio().pauseNextImage());
    for (const prompt of ['One', 'Two', 'Three', 'Four']) await submitPrompt(page, { prompt });
    await Promise.all(pauses.map(({ reached }) => reached));
    await waitForBalance(page, 16);
    await submitPrompt(page, { prompt: 'Five' });
    await pendingCard(page, 'Five').getByText('Waiting for your other images').waitFor();
    expect(countModelCalls('Five')).toBe(0);

    for (const hold of pauses) hold.release();
    for (const prompt of ['One', 'Two', 'Three', 'Four', 'Five']) {
      await imageWithPrompt(page, prompt).waitFor({ timeout: patienceMs });
    }
    await waitForBalance(page, 15);
    expect((await listCharges(userWindow)).map(({ amount }) => amount)).toEqual([-1, -1, -1, -1, -1]);
  });
});
