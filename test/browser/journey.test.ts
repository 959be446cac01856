/** The main use of the page: sign in, generate images, and every action on an image. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  accountMenu,
  button,
  dialog,
  fillForm,
  gallery,
  generateButton,
  generateImage,
  getPixelSize,
  goTo,
  images,
  imageWithPrompt,
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

/** Opens a window and signs in as a new user. */
async function openAsNewUser({ credits = 20 } = {}) {
  const user = await studio().newUser({ credits });
  const browserWindow = await openWindow();
  await signIn(browserWindow.page, user);
  return { ...browserWindow, user };
}

const waitForRemoval = (element: Locator) => element.waitFor({ state: 'detached' });

describe('the demo user', () => {
  it('signs in with one click, has 74 credits, stays signed in after a reload, and signs out', async () => {
    const { page } = await openWindow();
    await button(page, 'Continue as the demo user').click();
    await waitForBalance(page, 74);
    await page.getByText('Your images will appear here.').waitFor();

    await page.reload();
    await waitForBalance(page, 74);
    await accountMenu(page).click();
    await page.getByRole('banner').getByText('demo@example.com').waitFor();

    await button(page, 'Sign out').click();
    await page.getByRole('heading', { level: 1, name: 'Nano Banana Studio' }).waitFor();
    await page.reload();
    await button(page, 'Continue as the demo user').waitFor();
  });
});

describe('a better prompt', () => {
  const better = (page: Page) => page.getByRole('textbox', { name: 'Better prompt' });

  it('is shown beside the original, can be edited and used, and reverted', async () => {
    const { page } = await openAsNewUser();
    await promptField(page).fill('A lighthouse');
    await button(page, 'Improve prompt').click();
    const suggestion = page.getByRole('group', { name: 'A better prompt' });
    await suggestion.waitFor();
    expect(await better(page).inputValue()).toMatch(/^A lighthouse, in soft natural light/);
    expect(await promptField(page).inputValue()).toBe('A lighthouse');

    await better(page).fill('A lighthouse at dusk');
    await button(suggestion, 'Use this prompt').click();
    await expect.poll(() => promptField(page).inputValue()).toBe('A lighthouse at dusk');
    await button(page, 'Back to my own prompt').click();
    await expect.poll(() => promptField(page).inputValue()).toBe('A lighthouse');
  });

  it('can be rejected, and the request for it can be cancelled', async () => {
    const { page } = await openAsNewUser();
    await promptField(page).fill('A harbour');
    await button(page, 'Improve prompt').click();
    await button(page, 'Keep mine').click();
    await waitForRemoval(better(page));
    expect(await promptField(page).inputValue()).toBe('A harbour');

    const improving = studio().pauseNextImprovement();
    await button(page, 'Improve prompt').click();
    await improving.reached;
    await button(page, 'Cancel improving').click();
    await button(page, 'Improve prompt').waitFor();
    improving.release();
    expect(await better(page).count()).toBe(0);
    expect(await promptField(page).inputValue()).toBe('A harbour');
  });

  it('is used for the image, which still shows the original prompt', async () => {
    const { page, user } = await openAsNewUser();
    await promptField(page).fill('A teapot');
    await button(page, 'Improve prompt').click();
    await button(page, 'Use this prompt').click();
    await generateButton(page).click();
    await images(page).first().waitFor();
    const [generation] = await studio().listImages(user);
    expect(generation?.prompt ?? '').toMatch(/^A teapot, in soft/);
    await images(page).first().click();
    await viewer(page).getByText('Your own prompt').waitFor();
    await viewer(page).getByText('A teapot', { exact: true }).waitFor();
  });
});

describe('an image', () => {
  it.each([
    ['standard', 'landscape', 19, 1024, 1024],
    ['premium2', 'landscape', 18, 1248, 832],
    ['premium2', 'portrait', 18, 832, 1248],
    ['premium4', 'landscape', 16, 1344, 768],
    ['premium4', 'portrait', 16, 768, 1344],
  ] as const)(
    'of tier %s in %s has its price and its shape',
    async (tier, orientation, left, width, height) => {
      const { page } = await openAsNewUser();
      await openShapes(page);
      await tierChoice(page, tier).check();
      const square = tier === 'standard';
      await expect.poll(() => orientationChoice(page, 'portrait').isDisabled()).toBe(square);
      await page.keyboard.press('Escape');
      const prompt = `A kite, ${tier}`;
      await submitPrompt(page, square ? { prompt } : { prompt, orientation });
      await imageWithPrompt(page, prompt).waitFor();
      await waitForBalance(page, left);
      const thumbnail = gallery(page)
        .getByRole('listitem')
        .filter({ has: page.getByRole('link', { name: `Open image: ${prompt}`, exact: true }) });
      await thumbnail.getByText('AI', { exact: true }).waitFor();
      const view = await openImage(page, prompt);
      expect(await getPixelSize(view.getByRole('img').first())).toEqual({ width, height });
      await view.getByText('Made with AI').waitFor();
    },
  );

  it('is generated by Ctrl and Enter in the prompt', async () => {
    const { page } = await openAsNewUser();
    await promptField(page).fill('A comet');
    await promptField(page).press('Control+Enter');
    await imageWithPrompt(page, 'A comet').waitFor();
    await waitForBalance(page, 19);
  });

  it('is generated once by Ctrl and Enter twice with no gap', async () => {
    const { page, user } = await openAsNewUser();
    await promptField(page).fill('A twin');
    await promptField(page).press('Control+Enter');
    await promptField(page).press('Control+Enter');
    await imageWithPrompt(page, 'A twin').waitFor();
    await waitForBalance(page, 19);
    expect((await studio().listEntries(user)).filter(({ type }) => type === 'debit')).toHaveLength(1);
  });

  it('shows the elapsed time while it is generated, then the image in its place', async () => {
    const { page } = await openAsNewUser();
    const hold = studio().pauseNextImage();
    await submitPrompt(page, { prompt: 'A slow snail', tier: 'premium4' });
    await hold.reached;
    const card = pendingCard(page, 'A slow snail');
    await card.getByText('Making …').waitFor();
    await card.getByRole('timer').getByText('0:01').waitFor();
    hold.release();
    await imageWithPrompt(page, 'A slow snail').waitFor();
    await waitForRemoval(card.getByRole('timer'));
  });
});

describe('the viewer', () => {
  it('goes through the images by arrow keys, lists its shortcuts, and closes on Escape', async () => {
    const { page, user } = await openAsNewUser();
    for (const prompt of ['First', 'Second', 'Third']) {
      await studio().generateFor(user, { prompt, tier: 'standard' });
    }
    await page.reload();
    const view = await openImage(page, 'Second');
    const shows = (prompt: string) => view.getByText(prompt, { exact: true }).first().waitFor();
    await shows('Second');
    await page.keyboard.press('ArrowRight');
    await shows('First');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await shows('Third');

    await page.keyboard.press('?');
    await dialog(page, 'Keyboard shortcuts').waitFor();
    await page.keyboard.press('Escape');
    await waitForRemoval(dialog(page, 'Keyboard shortcuts'));
    await shows('Third');
    await page.keyboard.press('Escape');
    await waitForRemoval(viewer(page));
    expect(new URL(page.url()).hash).not.toContain('image');
  });

  it('is found again by its address, and downloads the exact stored file', async () => {
    const { page } = await openAsNewUser();
    await generateImage(page, { prompt: 'A compass', tier: 'premium2' });
    const view = await openImage(page, 'A compass');
    const link = page.url();
    expect(link).toMatch(/\/studio\/?#\/image\/[0-9a-f]{32}$/);

    const [download] = await Promise.all([page.waitForEvent('download'), button(view, 'Download').click()]);
    const bytes = readFileSync(await download.path());
    const stored = [...studio().cloudinary.assets.values()].map(({ etag }) => etag);
    expect(stored).toContain(createHash('md5').update(bytes).digest('hex'));
    expect(download.suggestedFilename()).toMatch(/^a-compass.*\.png$/);

    await page.goto('about:blank');
    await page.goto(link);
    await viewer(page).getByText('A compass', { exact: true }).first().waitFor();
  });

  it('copies prompt and settings into the form', async () => {
    const { page } = await openAsNewUser();
    await generateImage(page, { prompt: 'A totem', tier: 'premium4', orientation: 'portrait' });
    await fillForm(page, { prompt: 'Something else', tier: 'standard' });
    await button(await openImage(page, 'A totem'), 'Reuse prompt').click();
    await waitForRemoval(viewer(page));
    expect(await promptField(page).inputValue()).toBe('A totem');
    await openShapes(page);
    expect(await tierChoice(page, 'premium4').isChecked()).toBe(true);
    expect(await orientationChoice(page, 'portrait').isChecked()).toBe(true);
    await generateButton(page).getByText('4 credits').waitFor();
  });

  it('adds an image as a reference for the next one', async () => {
    const { page } = await openAsNewUser();
    await generateImage(page, { prompt: 'A pattern' });
    await button(await openImage(page, 'A pattern'), 'Use as reference').click();
    await waitForRemoval(viewer(page));
    await button(references(page), 'Remove reference 1').waitFor();
    await generateImage(page, { prompt: 'A carpet of it' });
    expect(JSON.stringify(studio().gemini.requests.at(-1)?.body)).toContain('inlineData');
  });
});

describe('deleting', () => {
  it('asks for confirmation with the prompt, then deletes the image from the page and the image store', async () => {
    const { page, user } = await openAsNewUser();
    await generateImage(page, { prompt: 'A secret' });
    const [generation] = await studio().listImages(user);
    const isStored = () =>
      [...studio().cloudinary.assets.keys()].some((id) => id.includes(generation?.id ?? ''));
    expect(isStored()).toBe(true);

    await button(await openImage(page, 'A secret'), 'Delete').click();
    const question = dialog(page, 'Delete this image?');
    await question.getByText('A secret').waitFor();
    await button(question, 'Keep it').click();
    await waitForRemoval(question);
    await page.keyboard.press('Delete');
    await button(question, 'Delete image').click();
    await waitForRemoval(viewer(page));
    await page.getByText('Your images will appear here.').waitFor();
    await waitForBalance(page, 19);
    await expect.poll(isStored).toBe(false);
  });
});

describe('the ledger', () => {
  it('shows every image with the balance after it, and a link to it', async () => {
    const { page, user } = await openAsNewUser();
    await generateImage(page, { prompt: 'A receipt', tier: 'premium2' });
    await generateImage(page, { prompt: 'A coin', tier: 'premium4' });
    await goTo(page, 'Credits');
    await page.getByRole('heading', { level: 1, name: 'Credits' }).waitFor();
    const rows = page.getByRole('table').getByRole('row');
    await expect.poll(() => rows.count()).toBe(4);
    const cells = await rows.nth(1).getByRole('cell').allTextContents();
    expect(cells.slice(-2).map((text) => text.replace('−', '-').trim())).toEqual(['-4', '14']);
    const balances = (await studio().listEntries(user)).map((entry) => String(entry.balance));
    expect((await rows.getByRole('cell').last().count()) > 0).toBe(true);
    expect(await readLastColumn(rows)).toEqual(balances);

    await rows.nth(2).getByRole('link', { name: 'A receipt' }).click();
    await viewer(page).getByText('A receipt', { exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
    await waitForRemoval(viewer(page));
    await signOut(page);
    await page.getByRole('heading', { level: 1, name: 'Nano Banana Studio' }).waitFor();
  });
});

/** The texts of the last column, without its heading. */
const readLastColumn = (rows: Locator) =>
  rows.evaluateAll((all) =>
    all.slice(1).map((row) => row.querySelector('td:last-of-type')?.textContent?.trim()),
  );
