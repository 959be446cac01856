/** The composer: the draft survives, several images at once, styles, and double clicks that do nothing twice. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { onePixelPng } from '../support/pictures.ts';
import { phone } from './support/browserWindow.ts';
import { findCoveredText } from './support/layout.ts';
import {
  balance,
  button,
  chip,
  fillForm,
  generateButton,
  generateImage,
  images,
  openImage,
  openShapes,
  orientationChoice,
  pendingCard,
  promptField,
  references,
  signIn,
  signOut,
  submitPrompt,
  tierChoice,
  viewer,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

async function openAsNewUser(look = {}, credits = 20) {
  const user = await studio().newUser({ credits });
  const browserWindow = await openWindow(look);
  await signIn(browserWindow.page, user);
  await waitForBalance(browserWindow.page, credits);
  return { ...browserWindow, user };
}

async function chooseCount(page: Page, count: number): Promise<void> {
  await chip(page, 'How many').click();
  await page.getByRole('radio', { name: String(count), exact: true }).check();
  await page.keyboard.press('Escape');
}

describe('the draft', () => {
  it('survives a reload and a sign-out: prompt, shape, number and references', async () => {
    const { page, user } = await openAsNewUser();
    await fillForm(page, { prompt: 'A draft', tier: 'premium4', orientation: 'portrait' });
    await chooseCount(page, 3);
    const file = { name: 'one.png', mimeType: 'image/png', buffer: onePixelPng };
    await references(page).locator('input[type=file]').setInputFiles([file]);
    await button(references(page), 'Remove reference 1').waitFor();
    const check = async () => {
      expect(await promptField(page).inputValue()).toBe('A draft');
      await generateButton(page).getByText('12 credits').waitFor();
      await button(references(page), 'Remove reference 1').waitFor();
      await openShapes(page);
      expect(await tierChoice(page, 'premium4').isChecked()).toBe(true);
      expect(await orientationChoice(page, 'portrait').isChecked()).toBe(true);
      await page.keyboard.press('Escape');
    };
    await page.reload();
    await generateButton(page).waitFor();
    await check();
    await signOut(page);
    await signIn(page, user);
    await check();
  });

  it('of a change under an image survives a reload', async () => {
    const { page, user } = await openAsNewUser();
    await studio().generateFor(user, { prompt: 'A bridge', tier: 'standard' });
    await page.reload();
    const change = (await openImage(page, 'A bridge')).getByRole('textbox', { name: 'Change this image' });
    await change.fill('In the fog');
    await page.reload();
    await expect.poll(() => change.inputValue()).toBe('In the fog');
  });

  it('of one user is not shown to another', async () => {
    const { page } = await openAsNewUser();
    await promptField(page).fill('Private');
    await signOut(page);
    await signIn(page, await studio().newUser({ credits: 7 }));
    await waitForBalance(page, 7);
    expect(await promptField(page).inputValue()).toBe('');
  });
});

describe('several images', () => {
  it('have one price, a tile each, a count in the title, and one charge each', async () => {
    const { page, user } = await openAsNewUser();
    const pauses = Array.from({ length: 2 }, () => studio().pauseNextImage());
    await fillForm(page, { prompt: 'A pair', tier: 'premium2' });
    await chooseCount(page, 2);
    await generateButton(page).getByText('4 credits').waitFor();
    await generateButton(page).click();
    await Promise.all(pauses.map(({ reached }) => reached));
    expect(await pendingCard(page, 'A pair').count()).toBe(2);
    await expect.poll(() => page.title()).toBe('(2) making · Studio');
    for (const { release } of pauses) release();
    await expect.poll(() => images(page).count()).toBe(2);
    await expect.poll(() => page.title()).toBe('Nano Banana Studio');
    expect(await pendingCard(page, 'A pair').count()).toBe(0);
    await waitForBalance(page, 16);
    const debits = (await studio().listEntries(user)).filter(({ type }) => type === 'debit');
    expect(debits.map(({ amount }) => amount)).toEqual([-2, -2]);
    const groups = (await studio().listImages(user)).map(({ group }) => group);
    expect(groups[0]).toBeTruthy();
    expect(groups).toEqual([groups[0], groups[0]]);
  });

  it('can be hidden while they are made, and appear when they are ready', async () => {
    const { page } = await openAsNewUser();
    const pause = studio().pauseNextImage();
    await submitPrompt(page, { prompt: 'A surprise' });
    await pause.reached;
    await button(pendingCard(page, 'A surprise'), 'Hide').click();
    await pendingCard(page, 'A surprise').waitFor({ state: 'detached' });
    pause.release();
    await expect.poll(() => images(page).count()).toBe(1);
  });
});

describe('a style', () => {
  it('is added to the prompt, replaced by another, and removed', async () => {
    const { page } = await openAsNewUser();
    await promptField(page).fill('A harbour');
    const choose = async (name: RegExp) => {
      await chip(page, 'Style').click();
      await page.getByRole('radio', { name }).check();
      await page.keyboard.press('Escape');
    };
    await choose(/^Watercolour/);
    await expect
      .poll(() => promptField(page).inputValue())
      .toBe('A harbour, loose watercolour on textured paper');
    await choose(/^Oil/);
    await expect.poll(() => promptField(page).inputValue()).toMatch(/^A harbour, oil on canvas/);
    await choose(/^No style/);
    await expect.poll(() => promptField(page).inputValue()).toBe('A harbour');
  });
});

describe('on a phone', () => {
  it('the composer is one line until it is touched, and again when the image is asked for', async () => {
    const { page } = await openAsNewUser({ size: phone, touch: true });
    const height = () =>
      page.evaluate(() => document.querySelector('.composer')?.getBoundingClientRect().height ?? 0);
    expect(await height()).toBeLessThan(70);
    await promptField(page).tap();
    await expect.poll(height).toBeGreaterThan(120);
    await promptField(page).fill('A phone box');
    await generateButton(page).tap();
    await expect.poll(height).toBeLessThan(70);
    await expect.poll(() => images(page).count()).toBe(1);
  });

  it('a better prompt that arrives late opens the composer, and waits in it', async () => {
    const { page, context } = await openAsNewUser({ size: phone, touch: true });
    const released = Promise.withResolvers<void>();
    await context.route('**/enhance', async (route) => {
      await released.promise;
      await route.continue();
    });
    await promptField(page).tap();
    await promptField(page).fill('A lighthouse');
    await button(page, 'Improve prompt').tap();
    await button(page, 'Close the composer').tap();
    const better = page.getByRole('textbox', { name: 'Better prompt', exact: true });
    released.resolve();
    await better.waitFor();
    await page.keyboard.press('Escape');
    await better.waitFor({ state: 'hidden' });
    expect(await findCoveredText(page)).toEqual([]);
    await promptField(page).tap();
    await better.waitFor();
  });
});

describe('a double click without a gap', () => {
  const doubleClick = async (page: Page, name: string) => {
    const box = await button(viewer(page), name).boundingBox();
    if (!box) throw new Error(`${name} is not there`);
    await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
  };

  it.each(['Close', 'Reuse prompt', 'Use as reference'])(
    'on %s does it once, and stays in the studio',
    async (name) => {
      const { page, user } = await openAsNewUser();
      await page.goto('about:blank');
      await page.goto('/studio');
      await generateImage(page, { prompt: 'A twin' });
      await openImage(page, 'A twin');
      await doubleClick(page, name);
      await viewer(page).waitFor({ state: 'detached' });
      await expect.poll(() => images(page).count()).toBe(1);
      expect(new URL(page.url()).pathname).toBe('/studio');
      expect((await studio().listEntries(user)).filter(({ type }) => type === 'debit')).toHaveLength(1);
      await balance(page).waitFor();
    },
  );
});
