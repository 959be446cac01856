/** Closing an account in the account dialog. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { accountMenu, button, dialog, generateImage, signIn, tryToSignIn } from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

const account = (page: Page) => dialog(page, 'Your account');
const goodbye = /Your account is closed/;

/** A user with an image, in the form that closes the account. */
async function openForm() {
  const user = await studio().newUser({ credits: 5 });
  const window = await openWindow();
  const { page } = window;
  await signIn(page, user);
  await generateImage(page, { prompt: 'The last one' });
  await accountMenu(page).click();
  await button(page, 'Your account').click();
  await button(account(page), 'Close account').click();
  await account(page).getByText('The 4 credits you have left are lost.').waitFor();
  return { ...window, user };
}

const type = (page: Page, word: string) => account(page).getByLabel('Type CLOSE to confirm').fill(word);
const submit = (page: Page) => button(account(page), 'Close my account');

it('says what is lost, asks for the word, and ends signed out', async () => {
  const { page, user, allow } = await openForm();
  expect(await submit(page).isDisabled()).toBe(true);
  await type(page, 'close');
  expect(await submit(page).isDisabled()).toBe(true);
  await type(page, 'CLOSE');
  await submit(page).click();
  await page.getByText(goodbye).waitFor();
  allow(/Failed to load resource.*status of 400/);
  await tryToSignIn(page, user.email, user.password);
  await page.getByText('Wrong e-mail or password.').waitFor();
});

it('asks for the password if the sign-in is too old', async () => {
  const { page, context, allow, user } = await openForm();
  allow(/Failed to load resource/);
  let calls = 0;
  await context.route('**/closeAccount', async (route) => {
    calls += 1;
    if (calls > 1) return route.continue();
    const metadata = { retry: 'no' };
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'SIGN_IN_AGAIN', metadata },
    ];
    const message = 'Please sign in again to close your account.';
    const error = { code: 403, status: 'PERMISSION_DENIED', message, details };
    await route.fulfill({ status: 403, json: { error } });
  });
  await type(page, 'CLOSE');
  await submit(page).click();
  await account(page).getByText('Please sign in again').waitFor();
  await account(page).getByLabel('Your password').fill('wrong-password');
  await submit(page).click();
  await account(page).getByText('Wrong e-mail or password.').waitFor();
  expect(calls).toBe(1);
  await account(page).getByLabel('Your password').fill(user.password);
  await submit(page).click();
  await page.getByText(goodbye).waitFor();
  expect(calls).toBe(2);
});

it('can be left', async () => {
  const { page } = await openForm();
  await button(account(page), 'Keep my account').click();
  await button(account(page), 'Close account').waitFor();
});
