/** The layout at every width, measured by rectangles: no element covers another's text, and nothing scrolls sideways. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import type { GenerateInput } from '../../shared/contract.ts';
import type { Look } from './support/browserWindow.ts';
import { findCoveredText, findOverflow } from './support/layout.ts';
import {
  accountMenu,
  button,
  chip,
  generateButton,
  goTo,
  images,
  imageWithPrompt,
  pendingCard,
  promptField,
  signIn,
  submitPrompt,
  viewer,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio({ RETRY_ATTEMPTS: '1', IMAGEGEN_FALLBACK_MODEL_IDS: '' });

const looks: [string, Look][] = [
  ['320', { size: { width: 320, height: 568 }, touch: true }],
  ['390', { size: { width: 390, height: 844 }, touch: true }],
  ['820', { size: { width: 820, height: 1180 } }],
  ['1440', { size: { width: 1440, height: 900 } }],
  // 1280 × 800 at 200 % and 400 % zoom.
  ['640 × 400', { size: { width: 640, height: 400 } }],
  ['320 × 200', { size: { width: 320, height: 200 } }],
];

/** One of every shape. */
const requests: GenerateInput[] = [
  { prompt: 'A square', tier: 'standard' },
  { prompt: 'A photo', tier: 'premium2' },
  { prompt: 'A tall photo', tier: 'premium2', orientation: 'portrait' },
  { prompt: 'A wide view', tier: 'premium4' },
  { prompt: 'A tower', tier: 'premium4', orientation: 'portrait' },
];
const longPrompt = 'A telephone that is as long as the road from here to the sea and back again, '.repeat(60);
const longWord = 'x'.repeat(200);

/** Scrolls everything in the viewer that can be scrolled to its end, half a window at a time. */
async function scrollThrough(page: Page, check: () => Promise<void>): Promise<void> {
  const scroll = () =>
    page.evaluate(() => {
      const all = [...document.querySelectorAll('.viewer, .viewer *')].map((one) => {
        const before = one.scrollTop;
        one.scrollTop += innerHeight / 2;
        return one.scrollTop - before;
      });
      return all.some((moved) => moved > 0);
    });
  for (let isMoved = true; isMoved; ) {
    isMoved = await scroll();
    await check();
  }
}

/** Everything that is wrong with the view as it is. */
const findFaults = async (page: Page) => [...(await findOverflow(page)), ...(await findCoveredText(page))];

describe.each(looks)('at %s pixels', (_, look) => {
  it('every view and state has its place', async () => {
    const user = await studio().newUser({ credits: 100 });
    const { page, allow } = await openWindow({ ...look, reducedMotion: 'reduce' });
    allow(/Failed to load resource.*status of 422/);
    const faults: Record<string, string[]> = {};
    const check = async (view: string) => {
      const found = await findFaults(page);
      if (found.length > 0) faults[view] = found;
    };
    await check('sign-in');
    await signIn(page, user);
    await page.getByText('Your images will appear here.').waitFor();
    await check('empty');
    for (const request of requests) await studio().generateFor(user, request);
    await page.reload();
    await expect.poll(() => images(page).count()).toBe(requests.length);
    await check('gallery');
    await page.getByRole('searchbox').fill(longWord);
    await button(page, 'Show all images').waitFor();
    await check('nothing found');
    await button(page, 'Show all images').click();
    await promptField(page).fill(longPrompt);
    await check('a long prompt');
    for (const name of ['Shape', 'How many', 'Style'] as const) {
      await chip(page, name).click();
      await check(name);
      await page.keyboard.press('Escape');
    }
    studio().gemini.script(geminiFault.noImage('IMAGE_SAFETY'));
    await submitPrompt(page, { prompt: 'A failure', tier: 'premium4' });
    await button(page, 'Edit prompt').waitFor();
    const pause = studio().pauseNextImage();
    await submitPrompt(page, { prompt: 'A tall one', tier: 'premium4', orientation: 'portrait' });
    await pause.reached;
    await pendingCard(page, 'A tall one').waitFor();
    await check('one is made, one has failed');
    pause.release();
    await expect.poll(() => images(page).count()).toBe(requests.length + 1);
    for (const { prompt } of requests) {
      // By key: at the smallest size the actions of a tile lie over its middle.
      await imageWithPrompt(page, prompt).press('Enter');
      await viewer(page).getByText(prompt, { exact: true }).first().waitFor();
      await check(`viewer: ${prompt}`);
      await button(viewer(page), 'Other formats').click();
      await scrollThrough(page, () => check(`viewer, scrolled: ${prompt}`));
      await button(viewer(page), 'Close').click();
      await viewer(page).waitFor({ state: 'detached' });
    }
    await goTo(page, 'Credits');
    await page.getByRole('table').waitFor();
    await check('credits');
    await accountMenu(page).click();
    await check('account menu');
    expect(faults).toEqual({});
  }, 90_000);

  it('the last images are not under the composer, and a click into the prompt does not scroll the gallery', async () => {
    const user = await studio().newUser({ credits: 100 });
    for (let i = 0; i < 12; i += 1) {
      await studio().generateFor(user, { prompt: `Square ${i}`, tier: 'standard' });
    }
    const { page } = await openWindow({ ...look, reducedMotion: 'reduce' });
    await signIn(page, user);
    await images(page).first().waitFor();
    const top = await page.evaluate(() => scrollY);
    await promptField(page).click();
    expect(await page.evaluate(() => scrollY)).toBe(top);
    await page.keyboard.press('Escape');
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const gap = () =>
      page.evaluate(() => {
        const tiles = [...document.querySelectorAll('.image-tile')].map((one) => one.getBoundingClientRect());
        const composer = document.querySelector('.composer')?.getBoundingClientRect();
        return (composer?.top ?? 0) - Math.max(...tiles.map(({ bottom }) => bottom));
      });
    await expect.poll(gap).toBeGreaterThanOrEqual(0);
    await generateButton(page).waitFor();
  }, 60_000);
});

it('the first image stays where it was made', async () => {
  const user = await studio().newUser({ credits: 2 });
  const { page } = await openWindow();
  await signIn(page, user);
  const hold = studio().pauseNextImage();
  await submitPrompt(page, { prompt: 'A seed' });
  await hold.reached;
  const before = await pendingCard(page, 'A seed').boundingBox();
  hold.release();
  await imageWithPrompt(page, 'A seed').waitFor();
  await page.getByRole('searchbox').waitFor();
  expect(await imageWithPrompt(page, 'A seed').boundingBox()).toEqual(before);
});
