/** Finding images again: search, favourites, several at once, and the place in the gallery after a reload. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findViolations } from './support/axe.ts';
import { type Look, phone } from './support/browserWindow.ts';
import { hasFocus, tabTo } from './support/focus.ts';
import { findCoveredText, findOverflow } from './support/layout.ts';
import {
  button,
  dialog,
  gallery,
  goTo,
  images,
  imageWithPrompt,
  openImage,
  signIn,
  viewer,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

const searchField = (page: Page) => page.getByRole('searchbox', { name: 'Search your prompts' });
const favourites = (page: Page) => page.getByRole('button', { name: 'Favourites', exact: true });
const tools = (page: Page) => page.getByRole('toolbar', { name: 'Selected images' });
const selectable = (page: Page, prompt: string) =>
  gallery(page).getByRole('checkbox', { name: `Select: ${prompt}`, exact: true });
const listPrompts = async (page: Page) =>
  (await images(page).evaluateAll((links) => links.map((link) => link.getAttribute('aria-label')))).map(
    (name) => name?.replace('Open image: ', ''),
  );

/** Opens the gallery of a user with these images, the newest first. */
async function openGallery(prompts: readonly string[], look?: Look) {
  const user = await studio().newUser({ credits: 100 });
  for (const prompt of prompts.toReversed()) await studio().generateFor(user, { prompt, tier: 'standard' });
  const window = await openWindow(look);
  await signIn(window.page, user);
  await images(window.page).first().waitFor();
  return { ...window, user };
}

const expectGood = async (page: Page) => {
  expect(await findViolations(page)).toEqual([]);
  expect([...(await findOverflow(page)), ...(await findCoveredText(page))]).toEqual([]);
};

describe('the search', () => {
  it('finds what is loaded with each key, without a request, and says so if there is nothing', async () => {
    const { page } = await openGallery(['A red fox', 'A red boat', 'The moon over a boat']);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await searchField(page).fill('boat re');
    await expect.poll(() => listPrompts(page)).toEqual(['A red boat']);
    await gallery(page).getByText('1 image', { exact: true }).waitFor();
    await page.getByRole('status').getByText('1 image found.').waitFor();
    await expectGood(page);
    await searchField(page).fill('zebra');
    await page.getByText('No image found.').waitFor();
    await expectGood(page);
    await button(page, 'Show all images').click();
    await expect.poll(() => images(page).count()).toBe(3);
    expect(requests.filter((url) => url.includes('/gallery'))).toEqual([]);
  });

  it('asks the functions for what is not loaded, and the viewer goes through what was found', async () => {
    const prompts = Array.from({ length: 30 }, (_, i) => (i % 14 === 1 ? `A whale ${i}` : `A pebble ${i}`));
    const { page } = await openGallery(prompts);
    await page.route(/\/gallery\?.*pageToken/, (route) => route.abort());
    await searchField(page).fill('whale');
    await expect.poll(() => listPrompts(page)).toEqual(['A whale 1', 'A whale 15', 'A whale 29']);
    await openImage(page, 'A whale 15');
    await page.keyboard.press('ArrowRight');
    await viewer(page).getByText('A whale 29', { exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
    await viewer(page).waitFor({ state: 'detached' });
    expect(await searchField(page).inputValue()).toBe('whale');
  });

  it('has a key', async () => {
    const { page } = await openGallery(['A key']);
    await searchField(page).waitFor();
    await page.keyboard.press('/');
    expect(await hasFocus(searchField(page))).toBe(true);
    await page.keyboard.type('k');
    await page.keyboard.press('Enter');
    expect(await hasFocus(imageWithPrompt(page, 'A key'))).toBe(true);
  });
});

describe('favourites', () => {
  it('are marked by mouse and by key, kept, and filtered; a failure takes the mark back', async () => {
    const { page, user, context, allow } = await openGallery(['One', 'Two', 'Three']);
    allow(/Failed to load resource/);
    await imageWithPrompt(page, 'Two').hover();
    await gallery(page).locator('.image-tile:hover').getByLabel('Favourite', { exact: true }).click();
    await expect
      .poll(async () => (await studio().listImages(user)).map((one) => one.favourite))
      .toEqual([false, true, false]);
    await imageWithPrompt(page, 'Three').focus();
    await page.keyboard.press('f');
    const description = () => imageWithPrompt(page, 'Three').getAttribute('aria-description');
    await expect.poll(description).toMatch(/\d+ × \d+, Favourite$/);
    await favourites(page).click();
    await expect.poll(() => listPrompts(page)).toEqual(['Two', 'Three']);
    await expectGood(page);
    await page.reload();
    await images(page).first().waitFor();
    const heart = (await openImage(page, 'One')).getByRole('button', { name: 'Favourite', exact: true });
    expect(await heart.getAttribute('aria-pressed')).toBe('false');
    await heart.click();
    await expect.poll(() => heart.getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('f');
    await expect.poll(() => heart.getAttribute('aria-pressed')).toBe('false');
    await page.keyboard.press('Escape');
    await favourites(page).click();
    await expect.poll(() => listPrompts(page)).toEqual(['Two', 'Three']);
    await context.route('**/favourite', (route) => route.fulfill({ status: 400, json: {} }), { times: 1 });
    await imageWithPrompt(page, 'Two').focus();
    await page.keyboard.press('f');
    await expect.poll(() => listPrompts(page)).toEqual(['Two', 'Three']);
  });

  it('changes that follow each other fast arrive in their order', async () => {
    const { page, user, context } = await openGallery(['One']);
    const asked: boolean[] = [];
    const released = Promise.withResolvers<void>();
    await context.route('**/favourite', async (route) => {
      asked.push(route.request().postDataJSON().favourite);
      if (asked.length === 1) await released.promise;
      await route.continue();
    });
    const description = () => imageWithPrompt(page, 'One').getAttribute('aria-description');
    await imageWithPrompt(page, 'One').focus();
    await page.keyboard.press('f');
    await expect.poll(description).toMatch(/Favourite$/);
    await page.keyboard.press('f');
    await expect.poll(description).not.toMatch(/Favourite$/);
    expect(asked).toEqual([true]);
    released.resolve();
    await expect.poll(() => asked).toEqual([true, false]);
    await expect
      .poll(async () => (await studio().listImages(user)).map((one) => one.favourite))
      .toEqual([false]);
    expect(await description()).not.toMatch(/Favourite$/);
  });
});

describe('several images', () => {
  it('are not asked about in a view that the user has left', async () => {
    const { page } = await openGallery(['One']);
    await button(page, 'Select').click();
    await selectable(page, 'One').click();
    // The address changes before the view does.
    await page.evaluate(() => {
      location.hash = '#/credits';
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Delete' }));
    });
    await page.getByRole('heading', { name: 'Credits', level: 1 }).waitFor();
    await goTo(page, 'Create');
    await selectable(page, 'One').click();
  });

  it('are selected by mouse, with Shift up to another one, and deleted', async () => {
    const { page, user } = await openGallery(['One', 'Two', 'Three', 'Four']);
    await button(page, 'Select').click();
    await selectable(page, 'One').click();
    await selectable(page, 'Three').click({ modifiers: ['Shift'] });
    await tools(page).getByText('3 selected').waitFor();
    await selectable(page, 'Two').click();
    await tools(page).getByText('2 selected').waitFor();
    await expectGood(page);
    await button(tools(page), 'Delete').click();
    const question = page.getByRole('dialog', { name: /^Delete \d+ images\?$/ });
    await question.getByText('Delete 2 images?').waitFor();
    await expectGood(page);
    await button(question, 'Delete images').dblclick();
    await question.waitFor({ state: 'detached' });
    expect(await hasFocus(page.getByRole('heading', { name: 'Your images', exact: true }))).toBe(true);
    await expect.poll(() => listPrompts(page)).toEqual(['Two', 'Four']);
    expect((await studio().listImages(user)).map(({ prompt }) => prompt)).toEqual(['Two', 'Four']);
  });

  it('are selected by keyboard, marked, and saved as a ZIP file', async () => {
    const { page, user } = await openGallery(['One', 'Two', 'Three']);
    await imageWithPrompt(page, 'One').focus();
    await page.keyboard.press('x');
    await tools(page).getByText('1 selected').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await tools(page).getByText('2 selected').waitFor();
    await tabTo(page, button(tools(page), 'Favourite'));
    await page.keyboard.press('Enter');
    await expect
      .poll(async () => (await studio().listImages(user)).map((one) => one.favourite))
      .toEqual([true, true, false]);
    const unmark = tools(page).getByRole('button', { name: 'Unfavourite' });
    await unmark.waitFor();
    expect(await hasFocus(unmark)).toBe(true);
    // Without the browser's own dialog, which a test cannot answer.
    await page.evaluate('delete window.showSaveFilePicker');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      button(tools(page), 'Download').click(),
    ]);
    expect(download.suggestedFilename()).toBe('nano-banana-studio-images.zip');
    const zip = readFileSync(await download.path()).toString('latin1');
    // Each name is in the file's own header and in the directory at the end.
    expect(zip.match(/(one|two|three)[\w-]*\.png/g)).toHaveLength(4);
    await page.keyboard.press('Escape');
    await tools(page).waitFor({ state: 'detached' });
    await openImage(page, 'One');
  });

  it('are counted only as far as they are loaded', async () => {
    const { page, context, allow } = await openGallery(['One', 'Two']);
    allow(/Failed to load resource/);
    await gallery(page).getByText('2 images', { exact: true }).waitFor();
    await context.route(/\/gallery\?/, async (route) => {
      if (route.request().url().includes('pageToken')) return route.abort();
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, nextPageToken: 'next' } });
    });
    await page.reload();
    await images(page).first().waitFor();
    await button(page, 'Select').click();
    expect(await gallery(page).getByText('2 images', { exact: true }).count()).toBe(0);
    await button(tools(page), 'Select all 2 loaded').click();
    await tools(page).getByText('2 selected').waitFor();
    await context.unrouteAll({ behavior: 'wait' });
  });

  it('are selected by touch after a long press', async () => {
    const { page } = await openGallery(['One', 'Two'], { size: phone, touch: true });
    const box = await imageWithPrompt(page, 'One').boundingBox();
    const [x, y] = [(box?.x ?? 0) + 60, (box?.y ?? 0) + 60];
    const session = await page.context().newCDPSession(page);
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    const sheet = dialog(page, 'Image actions');
    await sheet.waitFor();
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await expectGood(page);
    await button(sheet, 'Select').tap();
    await tools(page).getByText('1 selected').waitFor();
    await selectable(page, 'Two').tap();
    await tools(page).getByText('2 selected').waitFor();
    await expectGood(page);
  });
});

it('the gallery is where it was after a reload', async () => {
  const { page } = await openGallery(Array.from({ length: 40 }, (_, i) => `Image ${i}`));
  const top = () => page.evaluate(() => scrollY);
  await expect
    .poll(async () => {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      return gallery(page).getByText('40 images').count();
    })
    .toBe(1);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight - innerHeight - 200));
  const before = await top();
  expect(before).toBeGreaterThan(500);
  await page.reload();
  await expect.poll(top).toBe(before);
});
