/** Sessions, windows and the network: what ends says why, windows agree, and nothing is lost. */
import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findViolations } from './support/axe.ts';
import {
  accountMenu,
  button,
  dialog,
  generateButton,
  goTo,
  imageWithPrompt,
  promptField,
  signIn,
  signOut,
  submitPrompt,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

async function openAsNewUser(credits = 10) {
  const user = await studio().newUser({ credits });
  const window = await openWindow();
  await signIn(window.page, user);
  return { ...window, user };
}

async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto('/studio');
  await generateButton(page).waitFor();
  return page;
}

async function openAccount(page: Page) {
  await accountMenu(page).click();
  await button(page, 'Your account').click();
  return dialog(page, 'Your account');
}

it('a disabled user is told so', async () => {
  const { page, context, user, allow } = await openAsNewUser();
  allow(/Failed to load resource.*status of 40[01]/);
  await studio().disableUser(user.uid);
  await context.route(/\/ledger(\?|$)/, (route) => route.fulfill({ status: 401, body: '{}' }));
  await goTo(page, 'Credits');
  await page.getByRole('status').getByText('This account is disabled.').waitFor();
  await button(page, 'Sign in').waitFor();
});

describe('drafts', () => {
  it('of two open tabs do not mix, and that of a closed tab goes to the next one', async () => {
    const { page, context } = await openAsNewUser();
    await promptField(page).fill('The first draft');
    const other = await openTab(context);
    expect(await promptField(other).inputValue()).toBe('');
    await promptField(other).fill('The second draft');
    await expect.poll(() => countDrafts(page)).toBe(2);
    await other.close();
    const next = await openTab(context);
    await expect.poll(() => promptField(next).inputValue()).toBe('The second draft');
    expect(await promptField(page).inputValue()).toBe('The first draft');
    await page.reload();
    await expect.poll(() => promptField(page).inputValue()).toBe('The first draft');
  });
});

/** Drafts that the browser has stored outside of the tabs. */
const countDrafts = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const opening = indexedDB.open('nano-banana-studio');
        opening.onsuccess = () => {
          const keys = opening.result.transaction('memory').objectStore('memory').getAllKeys();
          keys.onsuccess = () => {
            opening.result.close();
            resolve(keys.result.filter((key) => String(key).includes('/draft/')).length);
          };
        };
      }),
  );

/** Firestore's client asks for an image of Google to see whether there is a network. The policy forbids it. */
const networkProblems = /Failed to load resource|ERR_INTERNET_DISCONNECTED|Firestore|cleardot/;

describe('without a network', () => {
  it('the page says so, and shows what has changed when it is back', async () => {
    const { page, context, user, allow } = await openAsNewUser();
    allow(networkProblems);
    await context.setOffline(true);
    const offline = page.getByText('You are offline.');
    await offline.waitFor();
    expect(await findViolations(page)).toEqual([]);
    await studio().generateFor(user, { prompt: 'Made elsewhere', tier: 'standard' });
    await context.setOffline(false);
    await offline.waitFor({ state: 'detached' });
    await imageWithPrompt(page, 'Made elsewhere').waitFor();
    await waitForBalance(page, 9);
  });

  it('a part that was not loaded yet says so in the studio, and opens after a reload', async () => {
    const { page, context, allow } = await openAsNewUser();
    allow(networkProblems);
    await promptField(page).fill('A draft');
    await context.setOffline(true);
    await page.getByTestId('balance').click();
    const notLoaded = page.getByText('A part of the studio could not be loaded.');
    await notLoaded.waitFor();
    expect(await promptField(page).inputValue()).toBe('A draft');
    const reload = button(page, 'Load again');
    expect(await reload.getAttribute('aria-disabled')).toBe('true');
    await context.setOffline(false);
    await page.getByText('You are offline.').waitFor({ state: 'detached' });
    await reload.click();
    await notLoaded.waitFor({ state: 'detached' });
    await expect.poll(() => promptField(page).inputValue()).toBe('A draft');
    await page.getByTestId('balance').click();
    await dialog(page, 'Buy credits').waitFor();
  });

  it('of the live account, two tabs still agree on the balance', async () => {
    const { page, context, allow } = await openAsNewUser();
    allow(networkProblems);
    await context.route('**/google.firestore.v1.Firestore/**', (route) => route.abort());
    await page.reload();
    const other = await openTab(context);
    await submitPrompt(page, { prompt: 'Seen by both' });
    await waitForBalance(other, 9);
  });
});

it('the colours of the page are chosen in the account, for all windows and visits', async () => {
  const { page, context } = await openAsNewUser();
  const other = await openTab(context);
  const scheme = (one: Page) => one.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  const account = await openAccount(page);
  await account.getByRole('radio', { name: 'Dark' }).check();
  expect(await findViolations(page)).toEqual([]);
  expect(await scheme(page)).toBe('dark');
  await expect.poll(() => scheme(other)).toBe('dark');
  await page.reload();
  await generateButton(page).waitFor();
  expect(await scheme(page)).toBe('dark');
});

it('a new password is set in the account', async () => {
  const { page, user, allow } = await openAsNewUser();
  allow(/Failed to load resource.*status of 400/);
  const account = await openAccount(page);
  await button(account, 'Change password').click();
  await account.getByLabel('Current password').fill('a-wrong-one');
  await account.getByLabel('New password').fill('a-better-one');
  await button(account, 'Change password').click();
  await account.getByRole('alert').getByText('Wrong e-mail or password.').waitFor();
  await account.getByLabel('Current password').fill(user.password);
  await button(account, 'Change password').click();
  await account.getByText('Your password is changed.').waitFor();
  await button(account, 'Close').click();
  await signOut(page);
  await signIn(page, { ...user, password: 'a-better-one' });
});

it('a hidden tab notifies when images are ready, if the user has asked for it', async () => {
  const { page, context } = await openAsNewUser();
  await context.grantPermissions(['notifications']);
  await page.evaluate(() => {
    const shown: string[] = [];
    const asked = { count: 0 };
    class FakeNotification {
      static permission = 'granted';
      static requestPermission = async () => {
        asked.count += 1;
        return 'granted';
      };
      constructor(_title: string, { body }: { body: string }) {
        shown.push(body);
      }
    }
    Object.assign(globalThis, { shown, asked, Notification: FakeNotification });
  });
  const read = <Value>(name: string) =>
    page.evaluate((key) => (globalThis as unknown as Record<string, Value>)[key], name) as Promise<Value>;
  const hide = (hidden: boolean) =>
    page.evaluate(
      (value) => Object.defineProperty(document, 'hidden', { value, configurable: true }),
      hidden,
    );
  expect(await read('asked')).toEqual({ count: 0 });
  const account = await openAccount(page);
  await account.getByRole('checkbox', { name: /^Notify me/ }).click();
  await account.getByRole('checkbox', { name: /^Notify me/, checked: true }).waitFor();
  expect(await read('asked')).toEqual({ count: 1 });
  await button(account, 'Close').click();

  await submitPrompt(page, { prompt: 'In sight' });
  await imageWithPrompt(page, 'In sight').waitFor();
  expect(await read('shown')).toEqual([]);
  const pause = studio().pauseNextImage();
  await submitPrompt(page, { prompt: 'Out of sight' });
  await pause.reached;
  await hide(true);
  pause.release();
  await expect.poll(() => read('shown')).toEqual(['Your image is ready.']);
});

it('the studio can be installed as an app', async () => {
  const { page } = await openWindow();
  const href = await page.locator('link[rel=manifest]').getAttribute('href');
  const manifestUrl = new URL(href ?? '', studio().url);
  const answer = await fetch(manifestUrl);
  expect(answer.headers.get('content-type')).toContain('application/manifest+json');
  const manifest = (await answer.json()) as { icons: { src: string; purpose?: string }[] } & Record<
    string,
    unknown
  >;
  expect(manifest).toMatchObject({ start_url: '/studio', scope: '/studio', display: 'standalone' });
  expect(manifest.icons.map(({ purpose }) => purpose)).toContain('maskable');
  for (const { src } of manifest.icons) {
    const icon = await fetch(new URL(src, manifestUrl));
    expect([src, icon.status, icon.headers.get('content-type')]).toEqual([src, 200, 'image/png']);
  }
  // Chromium reads the manifest under the page's own policy.
  const { errors, url } = await (await page.context().newCDPSession(page)).send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(url).toBe(manifestUrl.href);
});
