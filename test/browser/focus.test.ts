/** Where the focus goes when what had it disappears: never to nowhere, and never into a field that nobody asked for. */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { phone } from './support/browserWindow.ts';
import { hasFocus, hasFocusedElement, tabTo } from './support/focus.ts';
import {
  accountMenu,
  balance,
  button,
  dialog,
  generateImage,
  goTo,
  promptField,
  signIn,
  signOut,
  tryToSignIn,
  viewer,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

async function openAsNewUser(options: { credits?: number; verified?: boolean } = { credits: 9 }) {
  const user = await studio().newUser(options);
  const browserWindow = await openWindow();
  await signIn(browserWindow.page, user);
  return { ...browserWindow, user };
}

const email = (page: Page) => page.getByRole('textbox', { name: 'E-mail', exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
const expectFocus = async (target: Locator) => {
  await target.waitFor({ state: 'attached' });
  await expect.poll(() => hasFocus(target), { message: `focus on ${target}` }).toBe(true);
};

describe('the sign-in', () => {
  it('hands the focus to the studio, and the sign-out hands it back and says so', async () => {
    const { page } = await openAsNewUser();
    await expectFocus(heading(page, 'Create'));
    await signOut(page);
    await expectFocus(heading(page, 'Nano Banana Studio'));
    await page.getByRole('status').getByText('You are signed out.').waitFor();
  });

  it('shows a wrong password above the button, on a phone too', async () => {
    const user = await studio().newUser();
    const { page, allow } = await openWindow({ size: phone, touch: true });
    allow(/Failed to load resource.*status of 400/);
    await tryToSignIn(page, user.email, 'a-wrong-one');
    const problem = page.getByRole('alert').getByText('Wrong e-mail or password.');
    await problem.waitFor();
    const top = async (one: Locator) => (await one.boundingBox())?.y ?? 0;
    expect(await top(problem)).toBeLessThan(await top(button(page, 'Sign in')));
    expect(await hasFocus(button(page, 'Sign in'))).toBe(true);
  });

  it('moves the focus to the address that is missing, and says how long a password is', async () => {
    const { page } = await openWindow();
    await button(page, 'Forgot your password?').click();
    await page.getByRole('alert').getByText('Enter your e-mail address first.').waitFor();
    await expectFocus(email(page));
    await button(page, 'Create an account').click();
    await page.getByText('At least 6 characters.').waitFor();
  });
});

it('“Skip to content” moves the focus to the content, and Tab goes on from there', async () => {
  const { page } = await openAsNewUser();
  await button(page, 'Skip to content').focus();
  await page.keyboard.press('Enter');
  await expectFocus(page.getByRole('main'));
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true);
  await button(page, 'Skip to content').focus();
  await page.keyboard.press('Space');
  await expectFocus(page.getByRole('main'));
});

it('the buttons of the account dialog keep the focus', async () => {
  const { page } = await openAsNewUser();
  await accountMenu(page).click();
  await button(page, 'Your account').click();
  const account = dialog(page, 'Your account');
  const press = async (name: string) => {
    await tabTo(page, button(account, name));
    await page.keyboard.press('Enter');
  };
  await press('Change password');
  await expectFocus(account.getByLabel('Current password'));
  await press('Cancel');
  await expectFocus(button(account, 'Change password'));
  await press('Close account');
  await expectFocus(account.getByLabel('Type CLOSE to confirm'));
  await press('Keep my account');
  await expectFocus(button(account, 'Close account'));
  await press('Export my data');
  await account.getByText('Your data is saved.').waitFor();
  expect(await hasFocusedElement(page)).toBe(true);
});

it('Credits has a heading with the focus and a title, and gets the focus back from an image', async () => {
  const { page } = await openAsNewUser();
  await generateImage(page, { prompt: 'A pebble' });
  await goTo(page, 'Credits');
  await expectFocus(heading(page, 'Credits'));
  expect(await page.title()).toBe('Credits · Nano Banana Studio');
  const link = page.getByRole('table').getByRole('link', { name: 'A pebble' });
  await link.click();
  await viewer(page).waitFor();
  expect(await page.title()).toBe('Image · Nano Banana Studio');
  await page.keyboard.press('Escape');
  await viewer(page).waitFor({ state: 'detached' });
  await expectFocus(link);
});

it('hiding an image that is being made does not open the keyboard', async () => {
  const { page } = await openAsNewUser();
  const hold = studio().pauseNextImage();
  await promptField(page).fill('A slow one');
  await page.getByRole('button', { name: /^Create · / }).click();
  await hold.reached;
  await button(page, 'Hide').click();
  await expectFocus(page.getByRole('heading', { name: 'Your images', exact: true }));
  hold.release();
});

it('whoever has not confirmed the address is asked to, before they choose a pack', async () => {
  const { page, user } = await openAsNewUser({ verified: false });
  await balance(page).click();
  const packs = dialog(page, 'Buy credits');
  await packs.getByText(`Please confirm ${user.email} before you buy credits`).waitFor();
  expect(await packs.getByRole('button', { name: /100 credits/ }).isDisabled()).toBe(true);
  await button(packs, 'Send the e-mail again').click();
  await expect.poll(() => studio().findMail(user.email, 'VERIFY_EMAIL')).toBeDefined();
});
