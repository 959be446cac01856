/** Accounts: sign-up and sign-in, live updates after an admin's edits, several windows of one user. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  button,
  generateImage,
  goTo,
  images,
  imageWithPrompt,
  openImage,
  promptField,
  signIn,
  signOut,
  submitPrompt,
  tryToSignIn,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

const failedSignIn = /Failed to load resource.*status of 400.*accounts:/;
const title = (page: Page) => page.getByRole('heading', { level: 1, name: 'Nano Banana Studio' });
const waitForAnnouncement = (page: Page, words: string | RegExp) =>
  page.getByRole('status').filter({ hasText: words }).first().waitFor();

/** Waits for the mail, and returns its link. */
async function waitForMailLink(address: string, kind: 'VERIFY_EMAIL' | 'PASSWORD_RESET'): Promise<string> {
  await expect.poll(() => studio().findMail(address, kind), { timeout: 10_000 }).toBeDefined();
  return (await studio().findMail(address, kind))?.oobLink ?? '';
}

/** The keys that the page has stored in this browser. */
const listStoredKeys = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<string[]>((resolve, reject) => {
        const opening = indexedDB.open('nano-banana-studio');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const keys = opening.result.transaction('memory').objectStore('memory').getAllKeys();
          keys.onsuccess = () => {
            opening.result.close();
            resolve(keys.result.map(String));
          };
        };
      }),
  );

/** Deletes the session that Firebase has stored, as if it had ended without the page. */
const endSessionBehindThePage = () =>
  new Promise<void>((resolve, reject) => {
    const opening = indexedDB.open('firebaseLocalStorageDb');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction('firebaseLocalStorage', 'readwrite');
      change.objectStore('firebaseLocalStorage').clear();
      change.oncomplete = () => {
        opening.result.close();
        resolve();
      };
    };
  });

describe('signing up by e-mail', () => {
  it('gives the free credits when the user opens the verification link', async () => {
    const { page } = await openWindow();
    await button(page, 'Create an account').click();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill('new@example.com');
    await page.getByLabel('Password', { exact: true }).fill('long-enough');
    await button(page, 'Create account').click();
    await waitForBalance(page, 0);
    await page.getByText('You then have 10 credits for free').waitFor();
    await button(page, 'I have confirmed').click();
    await waitForAnnouncement(page, /not confirmed yet/);

    await fetch(await waitForMailLink('new@example.com', 'VERIFY_EMAIL'));
    // Two clicks at once would be a double click. What is typed in between makes them two.
    await promptField(page).fill('The first one');
    await button(page, 'I have confirmed').click();
    await waitForBalance(page, 10);
    await button(page, 'I have confirmed').waitFor({ state: 'detached' });
    await generateImage(page, { prompt: 'The first one' });
    await waitForBalance(page, 9);
  });

  it('sends the verification mail again', async () => {
    const user = await studio().newUser({ verified: false });
    const { page } = await openWindow();
    await signIn(page, user);
    await button(page, 'Send the e-mail again').click();
    expect(await waitForMailLink(user.email, 'VERIFY_EMAIL')).toContain('mode=verifyEmail');
  });

  it('explains that an address is already in use', async () => {
    const user = await studio().newUser();
    const { page, allow } = await openWindow();
    allow(failedSignIn);
    await button(page, 'Create an account').click();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(user.email);
    await page.getByLabel('Password', { exact: true }).fill('long-enough');
    await button(page, 'Create account').click();
    await page
      .getByRole('alert')
      .getByText(/already/)
      .waitFor();
  });
});

describe('signing in by e-mail', () => {
  it('explains a wrong password, and keeps the e-mail address', async () => {
    const user = await studio().newUser();
    const { page, allow } = await openWindow();
    allow(failedSignIn);
    await tryToSignIn(page, user.email, 'a-wrong-one');
    await page.getByRole('alert').getByText('Wrong e-mail or password.').waitFor();
    expect(await page.getByRole('textbox', { name: 'E-mail', exact: true }).inputValue()).toBe(user.email);
  });

  it('accepts a password that was reset by the link in the mail', async () => {
    const user = await studio().newUser({ credits: 3 });
    const { page } = await openWindow();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(user.email);
    await button(page, 'Forgot your password?').click();
    await waitForAnnouncement(page, user.email);
    const link = await waitForMailLink(user.email, 'PASSWORD_RESET');
    await fetch(`${link}&newPassword=a-better-one`);
    await signIn(page, { email: user.email, password: 'a-better-one' });
    await waitForBalance(page, 3);
  });

  it('asks for the e-mail address before it sends a reset link', async () => {
    const { page, allow } = await openWindow();
    allow(failedSignIn);
    await button(page, 'Forgot your password?').click();
    await page.getByRole('alert').getByText('Enter your e-mail address first.').waitFor();
  });
});

describe('a console edit', () => {
  it('of the balance appears without a reload, and can be spent', async () => {
    const user = await studio().newUser({ credits: 1 });
    const { page } = await openWindow();
    await signIn(page, user);
    await waitForBalance(page, 1);
    await studio().editAccount(user.uid, { balance: 74 });
    await waitForBalance(page, 74);
    await generateImage(page, { prompt: 'A gift', tier: 'premium4' });
    await waitForBalance(page, 70);
    await studio().editAccount(user.uid, { balance: 12 });
    await waitForBalance(page, 12);
    await goTo(page, 'Credits');
    await page.getByRole('cell', { name: '12', exact: true }).waitFor();
  });

  it('that suspends the account appears at once, and blocks new images', async () => {
    const user = await studio().newUser({ credits: 5 });
    const { page, allow } = await openWindow();
    allow(/Failed to load resource.*status of 403.*\/generate/);
    await signIn(page, user);
    await waitForBalance(page, 5);
    await studio().editAccount(user.uid, { suspended: true });
    await page.getByRole('alert').filter({ hasText: 'suspended' }).first().waitFor();
    await submitPrompt(page, { prompt: 'Not for me' });
    const card = page.getByRole('article', { name: 'Not for me' });
    await card.getByText('You were not charged.').waitFor();
    expect((await card.textContent())?.toLowerCase()).toContain('suspended');
    await studio().editAccount(user.uid, { suspended: false });
    await page.getByRole('alert').filter({ hasText: 'suspended, so' }).waitFor({ state: 'detached' });
    await button(card, 'Try again').click();
    await imageWithPrompt(page, 'Not for me').waitFor();
    await waitForBalance(page, 4);
  });
});

describe('two windows of one user', () => {
  async function openTwoWindows() {
    const user = await studio().newUser({ credits: 20 });
    const { page: one, context } = await openWindow();
    await signIn(one, user);
    const other = await context.newPage();
    await other.goto('/studio');
    await waitForBalance(other, 20);
    return { one, other, user };
  }

  it('show the same images and the same balance', async () => {
    const { one, other } = await openTwoWindows();
    await generateImage(one, { prompt: 'Seen twice', tier: 'premium2' });
    await imageWithPrompt(other, 'Seen twice').waitFor();
    await waitForBalance(other, 18);
    expect(await images(other).count()).toBe(1);

    await button(await openImage(other, 'Seen twice'), 'Delete').click();
    await button(other, 'Delete image').click();
    await imageWithPrompt(one, 'Seen twice').waitFor({ state: 'detached' });
  });

  it('both show the sign-in after a sign-out in one', async () => {
    const { one, other } = await openTwoWindows();
    await signOut(one);
    await title(one).waitFor();
    await button(other, 'Sign in').waitFor();
    await other.getByRole('status').getByText('You signed out in another window.').waitFor();
    expect(await one.getByText('You signed out in another window.').count()).toBe(0);
  });

  it('keep no data of the user when the session ends unexpectedly', async () => {
    const { one, other } = await openTwoWindows();
    const pause = studio().pauseNextImage();
    await submitPrompt(one, { prompt: 'Private' });
    await pause.reached;
    expect((await listStoredKeys(one)).filter((key) => key.includes('/asked/'))).toHaveLength(1);
    await other.evaluate(endSessionBehindThePage);
    await button(one, 'Sign in').waitFor();
    await one.getByRole('status').getByText('Your session has ended.').waitFor();
    await expect.poll(() => listStoredKeys(one), { timeout: 10_000 }).toEqual([]);
    pause.release();
  });

  it('keep no data of the user for the next one', async () => {
    const { one } = await openTwoWindows();
    await generateImage(one, { prompt: 'Private' });
    await signOut(one);
    const next = await studio().newUser({ credits: 7 });
    await signIn(one, next);
    await waitForBalance(one, 7);
    await one.getByText('Your images will appear here.').waitFor();
    expect(await imageWithPrompt(one, 'Private').count()).toBe(0);
  });
});
