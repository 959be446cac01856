/** Buying credits: the packs, the fake Stripe's checkout page, the way back, and what a bank does later. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findViolations } from './support/axe.ts';
import { narrow } from './support/browserWindow.ts';
import { hasFocus, tabTo } from './support/focus.ts';
import { findOverflow } from './support/layout.ts';
import {
  balance,
  button,
  dialog,
  fillForm,
  generateButton,
  goTo,
  imageWithPrompt,
  pendingCard,
  promptField,
  signIn,
  submitPrompt,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

const packs = (page: Page) => dialog(page, 'Buy credits');
const starter = (page: Page) => packs(page).getByRole('button', { name: /^100 credits/ });
const notice = (page: Page) => page.getByRole('region', { name: 'Your payment' });
const checkoutTitle = (page: Page) => page.getByRole('heading', { name: 'Checkout' });
const payButton = (page: Page) => page.getByRole('button', { name: /^Pay \$/ });
const payLaterButton = (page: Page) => page.getByRole('button', { name: /^Pay by bank debit/ });
const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

async function openAsNewUser(credits = 5) {
  const user = await studio().newUser({ credits });
  const window = await openWindow();
  await signIn(window.page, user);
  return { ...window, user };
}

/** From the balance in the header to Stripe's page. */
async function goToCheckout(page: Page): Promise<void> {
  await balance(page).and(page.getByRole('button')).click();
  await starter(page).click();
  await checkoutTitle(page).waitFor();
}

const listSessionsOf = async ({ uid }: { uid: string }) =>
  (await studio().stripe.listSessions()).filter(({ metadata }) => metadata.uid === uid);
const listTypes = async (user: Parameters<ReturnType<typeof studio>['listEntries']>[0]) =>
  (await studio().listEntries(user)).map(({ type, amount }) => `${type} ${amount}`);

describe('a purchase', () => {
  it('from "not enough credits": the draft is there afterwards, and the image can be made', async () => {
    const { page, user, allow } = await openAsNewUser(1);
    allow(/status of 402/);
    await submitPrompt(page, { prompt: 'A palace', tier: 'premium4', orientation: 'portrait' });
    await button(pendingCard(page, 'A palace'), 'Buy credits').click();
    await starter(page).waitFor();
    expect((await starter(page).textContent())?.trim()).toBe('100 credits $5.00 $0.05 per Square image');
    expect(await findViolations(page)).toEqual([]);
    await starter(page).click();
    await payButton(page).click();

    await notice(page).getByText('You bought 100 credits.').waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(await findViolations(page)).toEqual([]);
    await waitForBalance(page, 101);
    expect(await promptField(page).inputValue()).toBe('A palace');
    await button(page, 'Shape: Tall 9:16').waitFor();
    await generateButton(page).click();
    await imageWithPrompt(page, 'A palace').waitFor();
    await waitForBalance(page, 97);
    expect(await listTypes(user)).toEqual(['debit -4', 'purchase 100', 'adjustment 1']);
    await page.reload();
    await waitForBalance(page, 97);
    expect(await notice(page).count()).toBe(0);
    expect(await promptField(page).inputValue()).toBe('A palace');
  });

  it('happens once after a double click', async () => {
    const { page, user } = await openAsNewUser();
    const keys: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/checkout')) keys.push(request.headers()['idempotency-key']);
    });
    await balance(page).click();
    await starter(page).dblclick();
    await checkoutTitle(page).waitFor();
    expect(keys).toEqual([expect.any(String)]);
    expect(await listSessionsOf(user)).toHaveLength(1);
  });

  it('works with the keyboard alone', async () => {
    const { page } = await openAsNewUser();
    await tabTo(page, balance(page));
    await page.keyboard.press('Enter');
    await starter(page).waitFor();
    await page.keyboard.press('Escape');
    await packs(page).waitFor({ state: 'detached' });
    expect(await hasFocus(balance(page))).toBe(true);
    await page.keyboard.press('Enter');
    await tabTo(page, starter(page));
    await page.keyboard.press('Enter');
    await tabTo(page, payButton(page));
    await page.keyboard.press('Enter');
    await notice(page).getByText('You bought 100 credits.').waitFor();
    await tabTo(page, button(notice(page), 'Dismiss'));
    await page.keyboard.press('Enter');
    await notice(page).waitFor({ state: 'detached' });
    expect(await hasFocus(promptField(page))).toBe(true);
  });

  it('that cannot start says so, and a click on the pack tries again under the same key', async () => {
    const { page, context, user, allow } = await openAsNewUser();
    allow(/status of 502/);
    const keys: (string | undefined)[] = [];
    let isBroken = true;
    await context.route('**/checkout', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      if (isBroken) await route.fulfill({ status: 502, body: 'No.', headers: { 'retry-after': '1000' } });
      else await route.continue();
    });
    await balance(page).click();
    await starter(page).click();
    await packs(page).getByRole('alert').waitFor();
    expect(await findViolations(page)).toEqual([]);
    isBroken = false;
    await starter(page).click();
    await checkoutTitle(page).waitFor();
    expect(new Set(keys).size).toBe(1);
    expect(await listSessionsOf(user)).toHaveLength(1);
  });
});

describe('the way back', () => {
  it('without a payment says that nothing was charged, and keeps the draft', async () => {
    const { page } = await openAsNewUser();
    await fillForm(page, { prompt: 'A draft', tier: 'premium2' });
    await goToCheckout(page);
    await page.getByRole('link', { name: 'Leave without paying' }).click();
    await notice(page).getByText('You left the checkout. Nothing was charged.').waitFor();
    expect(await promptField(page).inputValue()).toBe('A draft');
    await waitForBalance(page, 5);

    await goToCheckout(page);
    await page.goBack();
    await notice(page).getByText('You left the checkout. Nothing was charged.').waitFor();
    expect(await promptField(page).inputValue()).toBe('A draft');
  });

  it('after a declined card and a second try', async () => {
    const { page } = await openAsNewUser();
    await goToCheckout(page);
    await page.getByRole('button', { name: /declined/ }).click();
    await page.getByRole('alert').getByText('Your card was declined.').waitFor();
    await payButton(page).click();
    await notice(page).getByText('You bought 100 credits.').waitFor();
  });

  it('is not needed: a new tab finds out about a payment after the tab was closed', async () => {
    const { page, context, user } = await openAsNewUser();
    await fillForm(page, { prompt: 'Left behind' });
    // The webhook must not be what adds the credits.
    await studio().stripe.control('scriptDeliveries', {
      steps: [{ kind: 'hold', type: 'checkout.session.completed' }],
    });
    await goToCheckout(page);
    const [session] = await listSessionsOf(user);
    await page.close();
    await studio().stripe.control('pay', { session: session?.id });
    const again = await context.newPage();
    await again.goto('/studio');
    await notice(again).getByText('You bought 100 credits.').waitFor();
    await expect.poll(() => promptField(again).inputValue()).toBe('Left behind');
    await studio().stripe.control('releaseDeliveries');
    expect(await listTypes(user)).toEqual(['purchase 100', 'adjustment 5']);
  });

  it('of another user says so, and adds nothing', async () => {
    const { page: first, user } = await openAsNewUser();
    await goToCheckout(first);
    const [session] = await listSessionsOf(user);
    const { page, allow } = await openAsNewUser(7);
    allow(/status of 404/);
    await page.goto(`/studio?session=${session?.id}`);
    await notice(page).getByText('This payment does not belong to this account.').waitFor();
    await waitForBalance(page, 7);
  });

  it('finds the credits if Stripe does not answer but its webhook has come', async () => {
    const { page, context, allow } = await openAsNewUser();
    allow(/status of 400/);
    await context.route('**/confirmCheckout', (route) =>
      route.fulfill({ status: 400, body: '{"error": {"message": "No answer of Stripe."}}' }),
    );
    await studio().stripe.control('scriptDeliveries', {
      steps: [{ kind: 'hold', type: 'checkout.session.completed' }],
    });
    await goToCheckout(page);
    await payButton(page).click();
    await notice(page).getByText('We could not confirm your payment yet. No answer of Stripe.').waitFor();
    expect(await findViolations(page)).toEqual([]);
    await studio().stripe.control('releaseDeliveries');
    await notice(page).getByText('You bought 100 credits.').waitFor();
  });
});

describe('a payment by bank debit', () => {
  async function payLater() {
    const opened = await openAsNewUser();
    await goToCheckout(opened.page);
    await payLaterButton(opened.page).click();
    await notice(opened.page).getByText('when your bank confirms the payment').waitFor();
    expect(await findViolations(opened.page)).toEqual([]);
    const [session] = await listSessionsOf(opened.user);
    return { ...opened, session: session?.id ?? '' };
  }

  it('adds its credits when the money arrives, while the page is open', async () => {
    const { page, session } = await payLater();
    await waitForBalance(page, 5);
    expect(await studio().runPurchases('settle', session)).toContain('has arrived');
    await notice(page).getByText('You bought 100 credits.').waitFor();
    await waitForBalance(page, 105);
  });

  it('adds nothing if it fails, and the page says so once', async () => {
    const { page, session, user } = await payLater();
    expect(await studio().runPurchases('settle', session, '--failed')).toContain('has failed');
    await page.reload();
    await notice(page).getByText('Your bank refused the payment. Nothing was charged.').waitFor();
    await page.reload();
    await waitForBalance(page, 5);
    expect(await notice(page).count()).toBe(0);
    expect(await listTypes(user)).toEqual(['adjustment 5']);
  });
});

describe('the credits page', () => {
  async function buyFromCredits() {
    const opened = await openAsNewUser();
    const { page, user } = opened;
    await goTo(page, 'Credits');
    await button(page, 'Buy credits').click();
    await starter(page).click();
    await payButton(page).click();
    await notice(page).getByText('You bought 100 credits.').waitFor();
    const [session] = await listSessionsOf(user);
    await goTo(page, 'Credits');
    await row(page, 'Credits bought').getByText('+100').waitFor();
    return { ...opened, session: session?.id ?? '' };
  }

  it('shows a refund and the debt that it leaves, and what pays it off', async () => {
    const { page, user, session } = await buyFromCredits();
    await studio().runPurchases('refund', session, '--amount', '100');
    await row(page, 'Payment refunded').getByText('−20').waitFor();
    await waitForBalance(page, 85);
    await studio().editAccount(user.uid, { balance: 30 });
    await waitForBalance(page, 30);
    await studio().runPurchases('refund', session);
    await page.getByText('You owe 50 credits: a payment was returned after').waitFor();
    await waitForBalance(page, 0);
    expect(await findViolations(page)).toEqual([]);

    await button(page, 'Buy credits').click();
    await starter(page).click();
    await payButton(page).click();
    await notice(page).getByText('You bought 100 credits.').waitFor();
    await goTo(page, 'Credits');
    await row(page, 'Debt paid off').getByText('−50').waitFor();
    expect(await page.getByText('You owe').count()).toBe(0);
  });

  it('shows a dispute and its end', async () => {
    const { page, session } = await buyFromCredits();
    expect(await studio().runPurchases('dispute', session, '--inquiry')).toContain('Nothing changes');
    expect(await studio().runPurchases('dispute', session)).toContain('taken the money back');
    await row(page, 'Payment disputed').getByText('−100').waitFor();
    await page.getByText('This account is suspended').waitFor();
    expect(await studio().runPurchases('dispute', session, '--won')).toContain('is won');
    await row(page, 'Dispute ended: credits restored').getByText('+100').waitFor();
    await page.getByText('This account is suspended').waitFor({ state: 'detached' });
  });

  it('leads to the receipts, and there are none before the first purchase', async () => {
    const { page, allow } = await openAsNewUser();
    allow(/status of 404/);
    await goTo(page, 'Credits');
    await button(page, 'Receipts').click();
    await page.getByRole('status').getByText('There are no receipts yet.').waitFor();
    const bought = await buyFromCredits();
    await button(bought.page, 'Receipts').click();
    await bought.page.getByRole('heading', { name: 'Invoices and receipts' }).waitFor();
    await bought.page.getByRole('link', { name: 'Return to the shop' }).click();
    await waitForBalance(bought.page, 105);
    expect(await notice(bought.page).count()).toBe(0);
  });
});

it('fits a narrow window', async () => {
  const user = await studio().newUser({ credits: 12345 });
  const { page } = await openWindow({ size: narrow, touch: true });
  await signIn(page, user);
  expect(await findOverflow(page)).toEqual([]);
  await balance(page).click();
  await starter(page).waitFor();
  expect(await findOverflow(page)).toEqual([]);
  await starter(page).click();
  await payButton(page).click();
  await notice(page).getByText('You bought 100 credits.').waitFor();
  expect(await findOverflow(page)).toEqual([]);
});
