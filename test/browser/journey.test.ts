/** What people come for: signing in, having images painted, and all that can be done with one. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  accountMenu,
  ask,
  button,
  describeImage,
  dialog,
  gallery,
  generateButton,
  generateImage,
  getPixels,
  goTo,
  imageOf,
  images,
  openImage,
  orientationChoice,
  painting,
  promptField,
  references,
  signIn,
  signOut,
  tierChoice,
  untilBalance,
  viewer,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, visit } = useStudio();

/** A window of a new user's own, signed in. */
async function visitOf({ credits = 20 } = {}) {
  const user = await studio().newUser({ credits });
  const opened = await visit();
  await signIn(opened.page, user);
  return { ...opened, user };
}

const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
const closed = (what: Locator) => what.waitFor({ state: 'detached' });

describe('the demo user', () => {
  it('signs in with one click, has 74 credits, stays signed in over a reload, and signs out', async () => {
    const { page } = await visit();
    await button(page, 'Continue as the demo user').click();
    await untilBalance(page, 74);
    await page.getByText('Your images will be here.').waitFor();

    await page.reload();
    await untilBalance(page, 74);
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

  it('is shown beside the own one, can be edited and used, and left again', async () => {
    const { page } = await visitOf();
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

  it('can be refused, and waiting for it can be ended', async () => {
    const { page } = await visitOf();
    await promptField(page).fill('A harbour');
    await button(page, 'Improve prompt').click();
    await button(page, 'Keep mine').click();
    await closed(better(page));
    expect(await promptField(page).inputValue()).toBe('A harbour');

    const improving = studio().holdNextImprovement();
    await button(page, 'Improve prompt').click();
    await improving.reached;
    await button(page, 'Cancel improving').click();
    await button(page, 'Improve prompt').waitFor();
    improving.letGo();
    expect(await better(page).count()).toBe(0);
    expect(await promptField(page).inputValue()).toBe('A harbour');
  });

  it('is painted when it is used, and the own one is still shown with the image', async () => {
    const { page, user } = await visitOf();
    await promptField(page).fill('A teapot');
    await button(page, 'Improve prompt').click();
    await button(page, 'Use this prompt').click();
    await generateButton(page).click();
    await images(page).first().waitFor();
    const [painted] = await studio().imagesOf(user);
    expect(painted?.prompt ?? '').toMatch(/^A teapot, in soft/);
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
    'of tier %s in %s is charged and has its ratio',
    async (tier, orientation, left, width, height) => {
      const { page } = await visitOf();
      await tierChoice(page, tier).check();
      const square = tier === 'standard';
      await expect.poll(() => orientationChoice(page, 'portrait').isDisabled()).toBe(square);
      const prompt = `A kite, ${tier}`;
      await ask(page, square ? { prompt } : { prompt, orientation });
      await imageOf(page, prompt).waitFor();
      await untilBalance(page, left);
      const thumbnail = gallery(page)
        .getByRole('listitem')
        .filter({ has: page.getByRole('link', { name: `Open image: ${prompt}`, exact: true }) });
      await thumbnail.getByText('AI', { exact: true }).waitFor();
      const view = await openImage(page, prompt);
      expect(await getPixels(view.getByRole('img').first())).toEqual({ width, height });
      await view.getByText('Made with AI').waitFor();
    },
  );

  it('is painted with the keyboard alone: Ctrl and Enter in the prompt', async () => {
    const { page } = await visitOf();
    await promptField(page).fill('A comet');
    await promptField(page).press('Control+Enter');
    await imageOf(page, 'A comet').waitFor();
    await untilBalance(page, 19);
  });

  it('shows its time while it is painted, and gives its place to the image', async () => {
    const { page } = await visitOf();
    const hold = studio().holdNextPaint();
    await ask(page, { prompt: 'A slow snail', tier: 'premium4' });
    await hold.reached;
    const card = painting(page, 'A slow snail');
    await card.getByText('Painting…').waitFor();
    await card.getByRole('timer').getByText('0:01').waitFor();
    hold.letGo();
    await imageOf(page, 'A slow snail').waitFor();
    await closed(card.getByRole('timer'));
  });
});

describe('the full view', () => {
  it('goes through the images with the arrow keys, explains its keys, and closes with Escape', async () => {
    const { page, user } = await visitOf();
    for (const prompt of ['First', 'Second', 'Third']) {
      await studio().paintFor(user, { prompt, tier: 'standard' });
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
    await closed(dialog(page, 'Keyboard shortcuts'));
    await shows('Third');
    await page.keyboard.press('Escape');
    await closed(viewer(page));
    expect(new URL(page.url()).hash).not.toContain('image');
  });

  it('copies a link that leads to the image, and downloads the very file that is stored', async () => {
    const { page } = await visitOf();
    await generateImage(page, { prompt: 'A compass', tier: 'premium2' });
    const view = await openImage(page, 'A compass');
    await button(view, 'Copy link').click();
    await expect.poll(() => clipboard(page)).toMatch(/\/studio\/?#\/image\/[0-9a-f]{32}$/);
    const link = await clipboard(page);

    const [download] = await Promise.all([page.waitForEvent('download'), button(view, 'Download').click()]);
    const bytes = readFileSync(await download.path());
    const stored = [...studio().cloudinary.assets.values()].map(({ etag }) => etag);
    expect(stored).toContain(createHash('md5').update(bytes).digest('hex'));
    expect(download.suggestedFilename()).toMatch(/^a-compass.*\.png$/);

    await page.goto('about:blank');
    await page.goto(link);
    await viewer(page).getByText('A compass', { exact: true }).first().waitFor();
  });

  it('gives prompt and settings back to the form', async () => {
    const { page } = await visitOf();
    await generateImage(page, { prompt: 'A totem', tier: 'premium4', orientation: 'portrait' });
    await describeImage(page, { prompt: 'Something else', tier: 'standard' });
    await button(await openImage(page, 'A totem'), 'Reuse prompt').click();
    await closed(viewer(page));
    expect(await promptField(page).inputValue()).toBe('A totem');
    expect(await tierChoice(page, 'premium4').isChecked()).toBe(true);
    expect(await orientationChoice(page, 'portrait').isChecked()).toBe(true);
    await generateButton(page).getByText('4 credits').waitFor();
  });

  it('has the same painted once more as a variation, and charged as any other', async () => {
    const { page, user } = await visitOf();
    await generateImage(page, { prompt: 'A mask', tier: 'premium2', orientation: 'portrait' });
    await button(await openImage(page, 'A mask'), 'Vary').click();
    await expect.poll(() => images(page).count(), { timeout: 10_000 }).toBe(2);
    await untilBalance(page, 16);
    const kinds = (await studio().imagesOf(user)).map(({ tier, orientation }) => `${tier} ${orientation}`);
    expect(kinds).toEqual(['premium2 portrait', 'premium2 portrait']);
  });

  it('makes an image a reference of the next one', async () => {
    const { page } = await visitOf();
    await generateImage(page, { prompt: 'A pattern' });
    await button(await openImage(page, 'A pattern'), 'Use as reference').click();
    await closed(viewer(page));
    await button(references(page), 'Remove reference 1').waitFor();
    await generateImage(page, { prompt: 'A carpet of it' });
    expect(JSON.stringify(studio().gemini.requests.at(-1)?.body)).toContain('inlineData');
  });
});

describe('deleting', () => {
  it('asks first, quoting the prompt; then the image is gone, here and where it was stored', async () => {
    const { page, user } = await visitOf();
    await generateImage(page, { prompt: 'A secret' });
    const [painted] = await studio().imagesOf(user);
    const isStored = () =>
      [...studio().cloudinary.assets.keys()].some((id) => id.includes(painted?.id ?? ''));
    expect(isStored()).toBe(true);

    await button(await openImage(page, 'A secret'), 'Delete').click();
    const question = dialog(page, 'Delete this image?');
    await question.getByText('A secret').waitFor();
    await button(question, 'Keep it').click();
    await closed(question);
    await page.keyboard.press('Delete');
    await button(question, 'Delete image').click();
    await closed(viewer(page));
    await page.getByText('Your images will be here.').waitFor();
    await untilBalance(page, 19);
    await expect.poll(isStored).toBe(false);
  });
});

describe('the ledger', () => {
  it('shows every movement with the balance after it, and leads from each to its image', async () => {
    const { page, user } = await visitOf();
    await generateImage(page, { prompt: 'A receipt', tier: 'premium2' });
    await generateImage(page, { prompt: 'A coin', tier: 'premium4' });
    await goTo(page, 'Credits');
    await page.getByRole('heading', { level: 1, name: 'Credits' }).waitFor();
    const rows = page.getByRole('table').getByRole('row');
    await expect.poll(() => rows.count()).toBe(4);
    const cells = await rows.nth(1).getByRole('cell').allTextContents();
    expect(cells.slice(-2).map((text) => text.replace('−', '-').trim())).toEqual(['-4', '14']);
    const balances = (await studio().entriesOf(user)).map((entry) => String(entry.balance));
    expect((await rows.getByRole('cell').last().count()) > 0).toBe(true);
    expect(await lastCells(rows)).toEqual(balances);

    await rows.nth(2).getByRole('link', { name: 'Show image' }).click();
    await viewer(page).getByText('A receipt', { exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
    await closed(viewer(page));
    await signOut(page);
    await page.getByRole('heading', { level: 1, name: 'Nano Banana Studio' }).waitFor();
  });
});

/** What stands in the last column, without its heading. */
const lastCells = (rows: Locator) =>
  rows.evaluateAll((all) =>
    all.slice(1).map((row) => row.querySelector('td:last-of-type')?.textContent?.trim()),
  );
