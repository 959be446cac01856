/** Whose studio it is: signing up and in, an admin's edits seen live, several windows of one user. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  ask,
  button,
  generateImage,
  goTo,
  imageOf,
  images,
  openImage,
  signIn,
  signOut,
  tryToSignIn,
  untilBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, visit } = useStudio();

const refused = /Failed to load resource.*status of 400.*accounts:/;
const title = (page: Page) => page.getByRole('heading', { level: 1, name: 'Nano Banana Studio' });
const announced = (page: Page, words: string | RegExp) =>
  page.getByRole('status').filter({ hasText: words }).first().waitFor();

/** What the mail that has just been sent says to click. */
async function linkInMail(address: string, kind: 'VERIFY_EMAIL' | 'PASSWORD_RESET'): Promise<string> {
  await expect.poll(() => studio().mailTo(address, kind), { timeout: 10_000 }).toBeDefined();
  return (await studio().mailTo(address, kind))?.oobLink ?? '';
}

/** The names of what this browser remembers for the studio. */
const kept = (page: Page) =>
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

/** As Firebase finds it where another program, or a revoked token, has ended the session. */
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
  it('gives the free credits once the address is confirmed by the link in the mail', async () => {
    const { page } = await visit();
    await button(page, 'Create an account').click();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill('new@example.com');
    await page.getByLabel('Password', { exact: true }).fill('long-enough');
    await button(page, 'Create account').click();
    await untilBalance(page, 0);
    await button(page, 'I have confirmed').click();
    await announced(page, /not confirmed yet/);

    await fetch(await linkInMail('new@example.com', 'VERIFY_EMAIL'));
    await button(page, 'I have confirmed').click();
    await untilBalance(page, 10);
    await button(page, 'I have confirmed').waitFor({ state: 'detached' });
    await generateImage(page, { prompt: 'The first one' });
    await untilBalance(page, 9);
  });

  it('sends the mail again', async () => {
    const user = await studio().newUser({ verified: false });
    const { page } = await visit();
    await signIn(page, user);
    await button(page, 'Send the mail again').click();
    expect(await linkInMail(user.email, 'VERIFY_EMAIL')).toContain('mode=verifyEmail');
  });

  it('says what is wrong with an address that is taken', async () => {
    const user = await studio().newUser();
    const { page, allow } = await visit();
    allow(refused);
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
  it('refuses a wrong password in words, and keeps what was typed', async () => {
    const user = await studio().newUser();
    const { page, allow } = await visit();
    allow(refused);
    await tryToSignIn(page, user.email, 'a-wrong-one');
    await page.getByRole('alert').getByText('There is no user with this e-mail and password.').waitFor();
    expect(await page.getByRole('textbox', { name: 'E-mail', exact: true }).inputValue()).toBe(user.email);
  });

  it('takes a new password that was set by the link in the mail', async () => {
    const user = await studio().newUser({ credits: 3 });
    const { page } = await visit();
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(user.email);
    await button(page, 'Forgot your password?').click();
    await announced(page, user.email);
    const link = await linkInMail(user.email, 'PASSWORD_RESET');
    await fetch(`${link}&newPassword=a-better-one`);
    await signIn(page, { email: user.email, password: 'a-better-one' });
    await untilBalance(page, 3);
  });

  it('asks for the address before it sends a mail to it', async () => {
    const { page, allow } = await visit();
    allow(refused);
    await button(page, 'Forgot your password?').click();
    await page.getByRole('alert').getByText('Please type your e-mail address first.').waitFor();
  });
});

describe("an admin's edit in the console", () => {
  it('of the balance is on the page without a reload, and spent from', async () => {
    const user = await studio().newUser({ credits: 1 });
    const { page } = await visit();
    await signIn(page, user);
    await untilBalance(page, 1);
    await studio().editAccount(user.uid, { balance: 74 });
    await untilBalance(page, 74);
    await generateImage(page, { prompt: 'A gift', tier: 'premium4' });
    await untilBalance(page, 70);
    await studio().editAccount(user.uid, { balance: 12 });
    await untilBalance(page, 12);
    await goTo(page, 'Credits');
    await page.getByRole('cell', { name: '12', exact: true }).waitFor();
  });

  it('that suspends the account is on the page at once, and nothing can be painted', async () => {
    const user = await studio().newUser({ credits: 5 });
    const { page, allow } = await visit();
    allow(/Failed to load resource.*status of 403.*\/generate/);
    await signIn(page, user);
    await untilBalance(page, 5);
    await studio().editAccount(user.uid, { suspended: true });
    await page.getByRole('alert').filter({ hasText: 'suspended' }).first().waitFor();
    await ask(page, { prompt: 'Not for me' });
    const card = page.getByRole('article', { name: 'Not for me' });
    await card.getByText('You were not charged.').waitFor();
    expect((await card.textContent())?.toLowerCase()).toContain('suspended');
    await studio().editAccount(user.uid, { suspended: false });
    await page.getByRole('alert').filter({ hasText: 'suspended:' }).waitFor({ state: 'detached' });
    await button(card, 'Try again').click();
    await imageOf(page, 'Not for me').waitFor();
    await untilBalance(page, 4);
  });
});

describe('two windows of one user', () => {
  async function twoWindows() {
    const user = await studio().newUser({ credits: 20 });
    const { page: one, context } = await visit();
    await signIn(one, user);
    const other = await context.newPage();
    await other.goto('/studio');
    await untilBalance(other, 20);
    return { one, other, user };
  }

  it('show the same images and the same balance', async () => {
    const { one, other } = await twoWindows();
    await generateImage(one, { prompt: 'Seen twice', tier: 'premium2' });
    await imageOf(other, 'Seen twice').waitFor();
    await untilBalance(other, 18);
    expect(await images(other).count()).toBe(1);

    await button(await openImage(other, 'Seen twice'), 'Delete').click();
    await button(other, 'Delete image').click();
    await imageOf(one, 'Seen twice').waitFor({ state: 'detached' });
  });

  it('both end when the user signs out in one', async () => {
    const { one, other } = await twoWindows();
    await signOut(one);
    await title(one).waitFor();
    await button(other, 'Sign in').waitFor();
  });

  it('keep nothing of a user, however the session ended', async () => {
    const { one, other } = await twoWindows();
    const painting = studio().holdNextPaint();
    await ask(one, { prompt: 'Private' });
    await painting.reached;
    expect(await kept(one)).toHaveLength(1);
    await other.evaluate(endSessionBehindThePage);
    await button(one, 'Sign in').waitFor();
    await expect.poll(() => kept(one), { timeout: 10_000 }).toEqual([]);
    painting.letGo();
  });

  it('keep nothing of a user for the next one', async () => {
    const { one } = await twoWindows();
    await generateImage(one, { prompt: 'Private' });
    await signOut(one);
    const next = await studio().newUser({ credits: 7 });
    await signIn(one, next);
    await untilBalance(one, 7);
    await one.getByText('Your images will be here.').waitFor();
    expect(await imageOf(one, 'Private').count()).toBe(0);
  });
});
