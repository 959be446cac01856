/** Use without a mouse: keyboard only, touch on a phone, a narrow window, large text; and reference images. */
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
  chip,
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
  const browserWindow = await openWindow(look);
  await signIn(browserWindow.page, user);
  await waitForBalance(browserWindow.page, 20);
  return { ...browserWindow, user };
}

describe('with the keyboard only', () => {
  it('a user can sign in, generate, view and delete an image, and never loses the focus', async () => {
    const user = await studio().newUser({ credits: 20 });
    const { page } = await openWindow();
    const press = async (key: string) => {
      await page.keyboard.press(key);
      await expect.poll(() => hasFocusedElement(page), { message: `focus after ${key}` }).toBe(true);
    };

    await tabTo(page, page.getByRole('textbox', { name: 'E-mail', exact: true }));
    await page.keyboard.type(user.email);
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await page.keyboard.type(user.password);
    await page.keyboard.press('Enter');
    await waitForBalance(page, 20);

    await tabTo(page, promptField(page));
    await page.keyboard.type('A typewriter');
    await tabTo(page, chip(page, 'Shape'));
    await press('Enter');
    await tabTo(page, tierChoice(page, 'standard'));
    await press('ArrowDown');
    expect(await tierChoice(page, 'premium2').isChecked()).toBe(true);
    await press('Escape');
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
    await page.getByText('Your images will appear here.').waitFor();
    await expect.poll(() => hasFocusedElement(page), { message: 'focus after deleting' }).toBe(true);
  });

  it('menus and dialogs return the focus when they close', async () => {
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

  it('a dialog traps the focus', async () => {
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
  it('every view works by touch, without horizontal scrolling', async () => {
    const user = await studio().newUser({ credits: 20 });
    const { page } = await openWindow({ size: phone, touch: true });
    const expectFit = async () => expect(await findOverflow(page)).toEqual([]);
    await expectFit();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(user.email);
    await page.getByLabel('Password', { exact: true }).fill(user.password);
    await button(page, 'Sign in').tap();
    await waitForBalance(page, 20);
    await expectFit();
    const hold = studio().pauseNextImage();
    await promptField(page).fill(
      'A telephone that is as long as the road from here to the sea and back again',
    );
    await generateButton(page).tap();
    await hold.reached;
    await expectFit();
    hold.release();
    const prompt = await promptField(page).inputValue();
    await imageWithPrompt(page, prompt).tap();
    await viewer(page).waitFor();
    await expectFit();
    await button(viewer(page), 'Delete').tap();
    await expectFit();
    await button(page, 'Delete image').tap();
    await viewer(page).waitFor({ state: 'detached' });
    await goTo(page, 'Credits');
    await page.getByRole('table').waitFor();
    await expectFit();
  });

  it('every button is at least 24 × 24 pixels', async () => {
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

describe('every view fits, and no text is clipped,', () => {
  async function checkEveryView(page: Page): Promise<void> {
    const expectFit = async () => {
      expect(await findOverflow(page)).toEqual([]);
      expect(await findClippedText(page)).toEqual([]);
    };
    await expectFit();
    const hold = studio().pauseNextImage();
    await submitPrompt(page, {
      prompt: 'Donaudampfschifffahrtsgesellschaftskapitänsmütze',
      tier: 'premium4',
    });
    await hold.reached;
    await pendingCard(page, 'Donaudampfschifffahrtsgesellschaftskapitänsmütze').waitFor();
    await expectFit();
    hold.release();
    await openImage(page, 'Donaudampfschifffahrtsgesellschaftskapitänsmütze');
    await expectFit();
    await page.keyboard.press('Delete');
    await button(page, 'Keep it').waitFor();
    await expectFit();
    await button(page, 'Keep it').click();
    await button(viewer(page), 'Close').click();
    await goTo(page, 'Credits');
    await page.getByRole('table').waitFor();
    await expectFit();
    await accountMenu(page).click();
    await expectFit();
  }

  it('in a window of 320 pixels', async () => {
    const { page } = await openAsNewUser({ size: narrow });
    await checkEveryView(page);
  });

  it('with text of twice the size', async () => {
    const { page } = await openAsNewUser();
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '200%';
    });
    expect(
      await balance(page).evaluate((one) => Number.parseFloat(getComputedStyle(one).fontSize)),
    ).toBeGreaterThan(24);
    await checkEveryView(page);
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
  const waitForProblem = (page: Page, reason: RegExp) =>
    references(page).getByRole('alert').filter({ hasText: reason }).waitFor();
  const removeButtons = (page: Page) =>
    references(page).getByRole('button', { name: /^Remove reference \d+$/ });

  it.each([
    [
      'of another type',
      [{ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('text') }],
      /not a PNG/,
      0,
    ],
    ['that are too large', [png('huge.png', 14_000_000)], /too large/, 0],
    ['above the maximum number', ['a', 'b', 'c', 'd'].map((name) => png(`${name}.png`)), /at most 3/, 3],
  ] as const)('%s are rejected with a reason before anything is sent', async (_, files, reason, accepted) => {
    const { page } = await openAsNewUser();
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().startsWith(studio().url)) sent.push(request.url());
    });
    await pick(page, [...files]);
    await waitForProblem(page, reason);
    expect(await removeButtons(page).count()).toBe(accepted);
    expect(sent).toEqual([]);
  });

  it('can be dropped, pasted, picked and removed, and are sent', async () => {
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
    await expect.poll(() => removeButtons(page).count()).toBe(2);

    await generateImage(page, { prompt: 'Like these' });
    const sentBody = JSON.stringify(studio().gemini.requests.at(-1)?.body);
    expect(sentBody.match(/inlineData/g)).toHaveLength(2);
  });
});
