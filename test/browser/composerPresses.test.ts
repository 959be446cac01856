/** Presses in the composer that must not make an image, and what the button says before it is pressed. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { onePixelPng } from '../support/pictures.ts';
import { type Look, phone } from './support/browserWindow.ts';
import {
  button,
  chip,
  generateButton,
  images,
  openShapes,
  promptField,
  references,
  signIn,
  tierChoice,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

const smallPhone: Look = { size: { width: 320, height: 568 }, touch: true };

async function openAsNewUser(look: Look = {}, credits = 20) {
  const user = await studio().newUser({ credits });
  const { page } = await openWindow(look);
  await signIn(page, user);
  await waitForBalance(page, credits);
  const posts: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/generate')) posts.push(request.url());
  });
  return { page, posts };
}

const pick = async (page: Page, name = 'one.png') => {
  const file = { name, mimeType: 'image/png', buffer: onePixelPng };
  await references(page).locator('input[type=file]').setInputFiles([file]);
};
const isComposerOpen = (page: Page) => button(page, 'Close the composer').isVisible();
const getDescription = (page: Page) =>
  generateButton(page).evaluate((one) => one.ariaDescribedByElements?.map((by) => by.textContent).join());
const announcements = (page: Page) => page.getByRole('status').last();

describe('a tap', () => {
  it('on another chip opens its panel and charges nothing, while a panel is open above the bar', async () => {
    const { page, posts } = await openAsNewUser(smallPhone);
    await promptField(page).tap();
    await promptField(page).fill('A lamp');
    await chip(page, 'Shape').tap();
    await page.getByRole('radio', { name: 'Portrait' }).waitFor({ state: 'attached' });
    await chip(page, 'Style').tap();
    await page.getByRole('radio', { name: /^Watercolour/ }).waitFor({ state: 'attached' });
    expect(await chip(page, 'Style').getAttribute('aria-expanded')).toBe('true');
    expect(await chip(page, 'Shape').getAttribute('aria-expanded')).toBe('false');
    expect(posts).toEqual([]);
  });

  it.each([smallPhone, { size: phone, touch: true }])(
    'anywhere on the closed bar opens it, with a reference in it',
    async (look) => {
      const { page, posts } = await openAsNewUser(look);
      await pick(page);
      const add = button(references(page), 'Add reference images');
      await expect.poll(() => add.getAttribute('data-count')).toBe('1');
      expect(await isComposerOpen(page)).toBe(false);
      expect((await promptField(page).boundingBox())?.width).toBeGreaterThan(140);
      const bar = await page.locator('form.composer').boundingBox();
      if (!bar) throw new Error('There is no composer');
      expect(bar.height).toBeLessThan(70);
      // Above the prompt, where the bar has only its padding.
      await page.touchscreen.tap(bar.x + bar.width / 2, bar.y + 3);
      await expect.poll(() => isComposerOpen(page)).toBe(true);
      await promptField(page).fill('A lamp');
      await page.keyboard.press('Escape');
      await expect.poll(() => isComposerOpen(page)).toBe(false);
      // The prompt has the focus already.
      await promptField(page).tap();
      await expect.poll(() => isComposerOpen(page)).toBe(true);
      expect(posts).toEqual([]);
    },
  );

  it('that is double on the closed bar charges nothing', async () => {
    const { page, posts } = await openAsNewUser(smallPhone);
    await promptField(page).fill('A lamp');
    await page.keyboard.press('Escape');
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    const box = await promptField(page).boundingBox();
    if (!box) throw new Error('There is no prompt');
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.touchscreen.tap(x, y);
    await page.touchscreen.tap(x, y);
    expect(await isComposerOpen(page)).toBe(true);
    expect(posts).toEqual([]);
  });

  it('outside does not move what is pressed, and closes the composer', async () => {
    const { page } = await openAsNewUser(smallPhone);
    await promptField(page).fill('A lamp');
    await generateButton(page).tap();
    await images(page).first().waitFor();
    await promptField(page).tap();
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const before = await images(page).first().boundingBox();
    await images(page).first().dispatchEvent('pointerdown', { bubbles: true, pointerType: 'touch' });
    expect(await images(page).first().boundingBox()).toEqual(before);
    await images(page).first().dispatchEvent('pointercancel', { bubbles: true });
    await expect.poll(() => isComposerOpen(page)).toBe(false);
  });

  it('on a file that is refused opens the composer, which has the reason', async () => {
    const { page } = await openAsNewUser(smallPhone);
    const file = { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('text') };
    await references(page).locator('input[type=file]').setInputFiles([file]);
    await references(page).getByRole('alert').waitFor();
    expect(await isComposerOpen(page)).toBe(true);
  });
});

describe('a panel', () => {
  it('stands above its chip, and its legends keep a distance', async () => {
    const { page } = await openAsNewUser();
    for (const name of ['Shape', 'How many', 'Style'] as const) {
      await chip(page, name).click();
      const panel = page.locator('.composer .popover:not([hidden])');
      const [left, chipLeft] = [await panel.boundingBox(), await chip(page, name).boundingBox()];
      expect(Math.abs((left?.x ?? 0) - (chipLeft?.x ?? 99)), name).toBeLessThan(2);
      const gaps = await panel.locator('legend').evaluateAll((all) =>
        all.map((legend) => {
          const text = document.createRange();
          text.selectNodeContents(legend);
          const choices = legend.nextElementSibling?.getBoundingClientRect().top ?? 0;
          return choices - text.getBoundingClientRect().bottom;
        }),
      );
      expect(Math.min(...gaps), name).toBeGreaterThanOrEqual(5);
      await page.keyboard.press('Escape');
    }
  });
});

describe('Enter', () => {
  it('on a choice chooses it and closes the panel, and makes no image', async () => {
    const { page, posts } = await openAsNewUser();
    await promptField(page).fill('A lamp');
    await openShapes(page);
    await tierChoice(page, 'premium2').focus();
    await page.keyboard.press('Enter');
    await generateButton(page).getByText('2 credits').waitFor();
    expect(await chip(page, 'Shape').getAttribute('aria-expanded')).toBe('false');
    expect(await chip(page, 'Shape').evaluate((one) => one === document.activeElement)).toBe(true);
    expect(posts).toEqual([]);
    await promptField(page).focus();
    await page.keyboard.press('ControlOrMeta+Enter');
    await waitForBalance(page, 18);
  });
});

describe('the button', () => {
  it('says why it does nothing yet, and when the price is above the balance', async () => {
    const { page } = await openAsNewUser({}, 3);
    expect(await getDescription(page)).toBe('Write a prompt first.');
    await promptField(page).fill('A lamp');
    expect(await getDescription(page)).toBeUndefined();
    await chip(page, 'How many').click();
    await page.getByRole('radio', { name: '2', exact: true }).check();
    await expect.poll(() => announcements(page).textContent()).toBe('2 credits');
    await page.getByRole('radio', { name: '4', exact: true }).check();
    await page.getByText('This takes 4 credits; you have 3.').first().waitFor();
    await expect.poll(() => announcements(page).textContent()).toBe('This takes 4 credits; you have 3.');
    expect(await getDescription(page)).toBe('This takes 4 credits; you have 3.');
    expect(await generateButton(page).getAttribute('aria-disabled')).toBe('false');
  });

  it('of the closed bar has the number of credits beside its arrow', async () => {
    const { page } = await openAsNewUser(smallPhone);
    expect(await generateButton(page).getByText('1', { exact: true }).isVisible()).toBe(true);
    expect(await isComposerOpen(page)).toBe(false);
  });
});

describe('names', () => {
  it('a chip without a style says that there is none', async () => {
    const { page } = await openAsNewUser();
    const style = button(page, 'Style: none');
    expect(await style.textContent()).toBe('Style');
    await style.click();
    await page.getByRole('radio', { name: /^Oil/ }).check();
    await button(page, 'Style: Oil').waitFor();
  });

  it('of references survive a reload, and their removal is announced', async () => {
    const { page } = await openAsNewUser();
    await pick(page, 'my cat.png');
    const image = references(page).getByRole('img', { name: 'my cat.png', exact: true });
    await image.waitFor();
    await page.reload();
    await image.waitFor();
    await button(references(page), 'Remove reference 1').click();
    await expect.poll(() => announcements(page).textContent()).toBe('Reference removed.');
  });

  it('a text over the whole improved prompt is a prompt without an earlier one', async () => {
    const { page } = await openAsNewUser();
    await promptField(page).fill('A lamp');
    await button(page, 'Improve prompt').click();
    await button(page, 'Use this prompt').click();
    await button(page, 'Back to my own prompt').waitFor();
    await page.keyboard.press('End');
    await page.keyboard.type(', red');
    await button(page, 'Back to my own prompt').waitFor();
    await page.evaluate(() => navigator.clipboard.writeText('A dog'));
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('ControlOrMeta+v');
    await button(page, 'Back to my own prompt').waitFor({ state: 'detached' });
    expect(await promptField(page).inputValue()).toBe('A dog');
  });
});
