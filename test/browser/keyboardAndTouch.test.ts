/** The page under other hands than a mouse: a keyboard alone, a phone, a narrow window, large letters; files. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { onePixelPng } from '../support/pictures.ts';
import { type Look, narrow, phone } from './support/browserWindow.ts';
import { hasFocusedElement, tabTo } from './support/focus.ts';
import { findClippedText, findOverflow } from './support/layout.ts';
import {
  accountMenu,
  balance,
  button,
  dialog,
  generateButton,
  generateImage,
  goTo,
  imageWithPrompt,
  openImage,
  pendingCard,
  promptField,
  references,
  signIn,
  submitPrompt,
  tierChoice,
  viewer,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

async function openAsNewUser(look: Look = {}) {
  const user = await studio().newUser({ credits: 20 });
  const opened = await openWindow(look);
  await signIn(opened.page, user);
  await waitForBalance(opened.page, 20);
  return { ...opened, user };
}

describe('with a keyboard alone', () => {
  it('one signs in, has an image painted, looks at it, and deletes it; the focus is never lost', async () => {
    const user = await studio().newUser({ credits: 20 });
    const { page } = await openWindow();
    const press = async (key: string) => {
      await page.keyboard.press(key);
      await expect.poll(() => hasFocusedElement(page), { message: `the focus after ${key}` }).toBe(true);
    };

    await tabTo(page, page.getByRole('textbox', { name: 'E-mail', exact: true }));
    await page.keyboard.type(user.email);
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await page.keyboard.type(user.password);
    await page.keyboard.press('Enter');
    await waitForBalance(page, 20);

    await tabTo(page, promptField(page));
    await page.keyboard.type('A typewriter');
    await tabTo(page, tierChoice(page, 'standard'));
    await press('ArrowDown');
    expect(await tierChoice(page, 'premium2').isChecked()).toBe(true);
    await tabTo(page, generateButton(page));
    await press('Space');
    await waitForBalance(page, 18);

    await tabTo(page, imageWithPrompt(page, 'A typewriter'));
    await press('Enter');
    await viewer(page).waitFor();
    await tabTo(page, button(viewer(page), 'Keyboard shortcuts'));
    await press('Enter');
    await dialog(page, 'Keyboard shortcuts').waitFor();
    await press('Escape');
    await press('Escape');
    await viewer(page).waitFor({ state: 'detached' });
    expect(
      await imageWithPrompt(page, 'A typewriter').evaluate((link) => link === document.activeElement),
    ).toBe(true);

    await press('Enter');
    await viewer(page).waitFor();
    await press('Delete');
    const question = dialog(page, 'Delete this image?');
    await tabTo(page, button(question, 'Delete image'));
    await press('Enter');
    await page.getByText('Your images will be here.').waitFor();
    await expect.poll(() => hasFocusedElement(page), { message: 'the focus after deleting' }).toBe(true);
  });

  it('everything that opens gives the focus back to what opened it', async () => {
    const { page } = await openAsNewUser();
    await tabTo(page, accountMenu(page));
    await page.keyboard.press('Enter');
    await button(page, 'Sign out').waitFor();
    await page.keyboard.press('Escape');
    expect(await accountMenu(page).evaluate((one) => one === document.activeElement)).toBe(true);

    await page.keyboard.press('Shift+?');
    await dialog(page, 'Keyboard shortcuts').waitFor();
    await page.keyboard.press('Escape');
    await dialog(page, 'Keyboard shortcuts').waitFor({ state: 'detached' });
    expect(await accountMenu(page).evaluate((one) => one === document.activeElement)).toBe(true);

    await promptField(page).fill('A pen');
    await tabTo(page, button(page, 'Improve prompt'));
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Better prompt' }).waitFor();
    await tabTo(page, button(page, 'Keep mine'));
    await page.keyboard.press('Enter');
    await expect.poll(() => hasFocusedElement(page)).toBe(true);
  });

  it('a dialog keeps the focus inside of it', async () => {
    const { page } = await openAsNewUser();
    await generateImage(page, { prompt: 'A cage' });
    await openImage(page, 'A cage');
    for (let step = 0; step < 25; step += 1) {
      await page.keyboard.press('Tab');
      const where = await page.evaluate(() =>
        document.activeElement === document.body || document.activeElement?.closest('[role=dialog], dialog')
          ? 'inside'
          : document.activeElement?.outerHTML.slice(0, 200),
      );
      expect(where).toBe('inside');
    }
  });
});

describe('on a phone', () => {
  it('one finger does it all, and nothing makes the page scroll sideways', async () => {
    const user = await studio().newUser({ credits: 20 });
    const { page } = await openWindow({ size: phone, touch: true });
    const fits = async () => expect(await findOverflow(page)).toEqual([]);
    await fits();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(user.email);
    await page.getByLabel('Password', { exact: true }).fill(user.password);
    await button(page, 'Sign in').tap();
    await waitForBalance(page, 20);
    await fits();
    const hold = studio().pauseNextImage();
    await promptField(page).fill(
      'A telephone that is as long as the road from here to the sea and back again',
    );
    await generateButton(page).tap();
    await hold.reached;
    await fits();
    hold.release();
    const prompt = await promptField(page).inputValue();
    await imageWithPrompt(page, prompt).tap();
    await viewer(page).waitFor();
    await fits();
    await button(viewer(page), 'Delete').tap();
    await fits();
    await button(page, 'Delete image').tap();
    await viewer(page).waitFor({ state: 'detached' });
    await goTo(page, 'Credits');
    await page.getByRole('table').waitFor();
    await fits();
  });

  it('everything to be tapped is large enough for a finger: 24 pixels at least', async () => {
    const { page } = await openAsNewUser({ size: phone, touch: true });
    await generateImage(page, { prompt: 'A thumb' });
    await openImage(page, 'A thumb');
    const small = await page.locator('button:visible').evaluateAll((all) =>
      all
        .map((element) => ({ box: element.getBoundingClientRect(), html: element.outerHTML.slice(0, 120) }))
        .filter(({ box }) => box.width < 24 || box.height < 24)
        .map(({ box, html }) => `${box.width} x ${box.height}: ${html}`),
    );
    expect(small).toEqual([]);
  });
});

describe('in a window', () => {
  async function everyViewFits(page: Page): Promise<void> {
    const fits = async () => {
      expect(await findOverflow(page)).toEqual([]);
      expect(await findClippedText(page)).toEqual([]);
    };
    await fits();
    const hold = studio().pauseNextImage();
    await submitPrompt(page, {
      prompt: 'Donaudampfschifffahrtsgesellschaftskapitänsmütze',
      tier: 'premium4',
    });
    await hold.reached;
    await pendingCard(page, 'Donaudampfschifffahrtsgesellschaftskapitänsmütze').waitFor();
    await fits();
    hold.release();
    await openImage(page, 'Donaudampfschifffahrtsgesellschaftskapitänsmütze');
    await fits();
    await page.keyboard.press('Delete');
    await button(page, 'Keep it').waitFor();
    await fits();
    await button(page, 'Keep it').click();
    await button(viewer(page), 'Close').click();
    await goTo(page, 'Credits');
    await page.getByRole('table').waitFor();
    await fits();
    await accountMenu(page).click();
    await fits();
  }

  it('of 320 pixels everything fits', async () => {
    const { page } = await openAsNewUser({ size: narrow });
    await everyViewFits(page);
  });

  it('with letters of twice the size everything fits and nothing is cut off', async () => {
    const { page } = await openAsNewUser();
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '200%';
    });
    expect(
      await balance(page).evaluate((one) => Number.parseFloat(getComputedStyle(one).fontSize)),
    ).toBeGreaterThan(24);
    await everyViewFits(page);
  });
});

describe('reference images', () => {
  const png = (name: string, size = 0) => ({
    name,
    mimeType: 'image/png',
    buffer: Buffer.concat([onePixelPng, Buffer.alloc(size)]),
  });
  const pick = (page: Page, files: Parameters<ReturnType<Page['locator']>['setInputFiles']>[0]) =>
    references(page).locator('input[type=file]').setInputFiles(files);
  const refusal = (page: Page, words: RegExp) =>
    references(page).getByRole('alert').filter({ hasText: words }).waitFor();
  const removers = (page: Page) => references(page).getByRole('button', { name: /^Remove reference \d+$/ });

  it.each([
    [
      'of another type',
      [{ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('text') }],
      /not a PNG/,
      0,
    ],
    ['that are too large', [png('huge.png', 14_000_000)], /too large/, 0],
    ['that are too many', ['a', 'b', 'c', 'd'].map((name) => png(`${name}.png`)), /at most 3/, 3],
  ] as const)('%s are refused in words before anything is sent', async (_, files, words, taken) => {
    const { page } = await openAsNewUser();
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().startsWith(studio().url)) sent.push(request.url());
    });
    await pick(page, [...files]);
    await refusal(page, words);
    expect(await removers(page).count()).toBe(taken);
    expect(sent).toEqual([]);
  });

  it('are taken from a drop and from the clipboard, shown, sent, and can be removed', async () => {
    const { page } = await openAsNewUser();
    const bytes = onePixelPng.toString('base64');
    await page.evaluate((base64) => {
      const files = new DataTransfer();
      const content = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      files.items.add(new File([content], 'dropped.png', { type: 'image/png' }));
      const target = document.querySelector('form') ?? document.body;
      for (const type of ['dragenter', 'dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
      }
    }, bytes);
    await button(references(page), 'Remove reference 1').waitFor();
    await page.evaluate((base64) => {
      const files = new DataTransfer();
      const content = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      files.items.add(new File([content], 'pasted.png', { type: 'image/png' }));
      const paste = new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true });
      document.querySelector('textarea')?.dispatchEvent(paste);
    }, bytes);
    await button(references(page), 'Remove reference 2').waitFor();
    await pick(page, [png('picked.png')]);
    await button(references(page), 'Remove reference 3').waitFor();
    await button(references(page), 'Remove reference 2').click();
    await expect.poll(() => removers(page).count()).toBe(2);

    await generateImage(page, { prompt: 'Like these' });
    const asked = JSON.stringify(studio().gemini.requests.at(-1)?.body);
    expect(asked.match(/inlineData/g)).toHaveLength(2);
  });
});
