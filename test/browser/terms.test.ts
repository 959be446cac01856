/** Terms and support: the page asks once, before the first image, and nothing is lost by a refusal. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findViolations } from './support/axe.ts';
import {
  accountMenu,
  balance,
  button,
  dialog,
  fillForm,
  generateButton,
  generateImage,
  imageWithPrompt,
  pendingCard,
  promptField,
  signIn,
  submitPrompt,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio({
  TERMS_VERSION: '2026-11',
  TERMS_URL: 'https://studio.example/terms',
  PRIVACY_URL: 'https://studio.example/privacy',
  SUPPORT_EMAIL: 'help@studio.example',
});

const refused = /Failed to load resource.*status of 403.*\/(generate|enhance)/;
const question = (page: Page) => dialog(page, 'Before you start');
const accept = (page: Page) => button(question(page), 'Accept and continue').click();

/** A window of a new user with credits. */
async function openForNewUser(credits = 10) {
  const user = await studio().newUser({ credits });
  const window = await openWindow();
  window.allow(refused);
  await signIn(window.page, user);
  return { ...window, user };
}

describe('the first image', () => {
  it('waits until the user accepts, and is then generated and charged once', async () => {
    const { page, user } = await openForNewUser();
    await submitPrompt(page, { prompt: 'The first' });
    await question(page).waitFor();
    expect(await question(page).getByRole('link', { name: 'terms' }).getAttribute('href')).toBe(
      'https://studio.example/terms',
    );
    await question(page).getByRole('link', { name: 'privacy policy' }).waitFor();
    await question(page).getByText('18 or older').waitFor();
    expect(await findViolations(page)).toEqual([]);
    await accept(page);
    await imageWithPrompt(page, 'The first').waitFor();
    await waitForBalance(page, 9);
    await generateImage(page, { prompt: 'The second' });
    expect((await studio().listEntries(user)).filter(({ type }) => type === 'debit')).toHaveLength(2);
  });

  it('is refused by the user: nothing is charged, the draft stays, and a new try asks again', async () => {
    const { page } = await openForNewUser();
    await submitPrompt(page, { prompt: 'Not yet', tier: 'premium2' });
    await button(question(page), 'Not now').click();
    await pendingCard(page, 'Not yet').getByText('You were not charged.').waitFor();
    expect(await promptField(page).inputValue()).toBe('Not yet');
    await waitForBalance(page, 10);
    await button(pendingCard(page, 'Not yet'), 'Try again').click();
    await accept(page);
    await imageWithPrompt(page, 'Not yet').waitFor();
    await waitForBalance(page, 8);
  });

  it('asks once for two images and an improved prompt', async () => {
    const { page } = await openForNewUser();
    await fillForm(page, { prompt: 'Twice' });
    await page.evaluate(() => {
      const submit = document.querySelector<HTMLButtonElement>('.composer .primary');
      submit?.click();
      submit?.click();
    });
    await accept(page);
    await waitForBalance(page, 8);
    await button(page, 'Improve prompt').click();
    await page.getByRole('textbox', { name: 'Better prompt' }).waitFor();
    expect(await question(page).count()).toBe(0);
  });
});

it('an improved prompt waits too', async () => {
  const { page } = await openForNewUser();
  await fillForm(page, { prompt: 'A banana' });
  await button(page, 'Improve prompt').click();
  await accept(page);
  await page.getByRole('textbox', { name: 'Better prompt' }).waitFor();
});

it('a purchase waits too, and goes on to Stripe', async () => {
  const { page, context, allow } = await openForNewUser();
  allow(/status of 403.*\/checkout/);
  const metadata = { version: '2026-11', retry: 'no' };
  const details = [{ reason: 'TERMS_NOT_ACCEPTED', metadata }];
  let isRefused = true;
  await context.route('**/checkout', (route) =>
    isRefused
      ? route.fulfill({ status: 403, json: { error: { message: 'Accept the terms.', details } } })
      : route.continue(),
  );
  await balance(page).click();
  await page.getByRole('button', { name: /^100 credits/ }).click();
  await question(page).waitFor();
  expect(await findViolations(page)).toEqual([]);
  isRefused = false;
  await accept(page);
  await page.getByRole('heading', { name: 'Checkout' }).waitFor();
});

it('two tabs agree: an answer in one ends the question in the other', async () => {
  const { page, context } = await openForNewUser();
  const other = await context.newPage();
  await other.goto('/studio');
  await generateButton(other).waitFor();
  await submitPrompt(page, { prompt: 'In one tab' });
  await question(page).waitFor();
  await submitPrompt(other, { prompt: 'In the other' });
  await question(other).waitFor();
  await accept(page);
  await question(other).waitFor({ state: 'detached' });
  await imageWithPrompt(other, 'In the other').waitFor();
  await waitForBalance(page, 8);
});

it('the sign-in page has the terms, the prices and the free credits', async () => {
  const { page } = await openWindow();
  const link = (name: string) => page.getByRole('link', { name, exact: true }).getAttribute('href');
  expect(await link('Terms')).toBe('https://studio.example/terms');
  expect(await link('Privacy policy')).toBe('https://studio.example/privacy');
  expect(await link('Support')).toBe('mailto:help@studio.example');
  await page.getByText('Square 1 credit, Photo 2 credits, Wide 4 credits.').waitFor();
  await page.getByText('10 credits are free for you').waitFor();
  expect(await findViolations(page)).toEqual([]);
});

describe('the address of support', () => {
  it('is shown with the terms in the account', async () => {
    const { page } = await openForNewUser();
    await accountMenu(page).click();
    await button(page, 'Your account').click();
    const account = dialog(page, 'Your account');
    await account.getByRole('link', { name: 'help@studio.example' }).waitFor();
    await account.getByRole('link', { name: 'Terms' }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    await button(account, 'Close').click();
    await expect
      .poll(() => accountMenu(page).evaluate((element) => element === document.activeElement))
      .toBe(true);
  });

  it('is shown to a suspended user', async () => {
    const { page, user } = await openForNewUser();
    await studio().editAccount(user.uid, { suspended: true });
    await page.getByRole('alert').getByRole('link', { name: 'help@studio.example' }).waitFor();
  });

  it('is shown if the account cannot be read', async () => {
    const user = await studio().newUser();
    await studio().editAccount(user.uid, { balance: 'ten' });
    const { page, allow } = await openWindow();
    allow(/status of 409/);
    await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(user.email);
    await page.getByLabel('Password', { exact: true }).fill(user.password);
    await button(page, 'Sign in').click();
    await page.getByRole('alert').getByRole('link', { name: 'help@studio.example' }).waitFor();
  });
});
