/** The owner's desk: what an admin sees and does, and that nobody else loads it. */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { User } from './support/accounts.ts';
import { findViolations } from './support/axe.ts';
import { desktop, type Look, phone } from './support/browserWindow.ts';
import { hasFocus, tabTo } from './support/focus.ts';
import { findCoveredText, findOverflow } from './support/layout.ts';
import {
  accountMenu,
  button,
  dialog,
  generateButton,
  imageWithPrompt,
  pendingCard,
  signIn,
  submitPrompt,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

/** Files of the page that hold the desk. */
function recordDeskFiles(page: Page): string[] {
  const files: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (/\/assets\/desk/i.test(pathname)) files.push(pathname);
  });
  return files;
}

/** Opens the desk as the admin of the local run. */
async function openDesk(look?: Look, path = '') {
  const browserWindow = await openWindow(look);
  const { page } = browserWindow;
  await page.goto(`/studio/desk${path}`);
  await button(page, 'Continue as the admin').click();
  await page.getByRole('navigation', { name: 'Desk' }).waitFor();
  return browserWindow;
}

const openAccountPage = (user: User, look?: Look) => openDesk(look, `#/account/${user.uid}`);

async function openUserWindow(credits: number) {
  const user = await studio().newUser({ credits });
  const browserWindow = await openWindow();
  await signIn(browserWindow.page, user);
  return { ...browserWindow, user };
}

/** Fills in the open dialog, and returns what the desk says will happen. */
async function fillIn(page: Page, title: string, { credits, reason }: { credits?: string; reason: string }) {
  const sheet = dialog(page, title);
  if (credits !== undefined) await sheet.getByRole('spinbutton', { name: 'Credits' }).fill(credits);
  await sheet.getByRole('textbox', { name: /^Reason/ }).fill(reason);
  // The page ignores a second click soon after the first at the same place. The keyboard has none.
  await button(sheet, 'Continue').press('Enter');
  return sheet.locator('.sentence').textContent();
}

const waitForClosed = (sheet: Locator) => sheet.waitFor({ state: 'detached' });
const balanceOnDesk = (page: Page) => page.locator('.facts .figure');

describe('the desk is for admins', () => {
  it('and no user loads it', async () => {
    const user = await studio().newUser({ credits: 3 });
    const { page } = await openWindow();
    const files = recordDeskFiles(page);
    await signIn(page, user);
    await accountMenu(page).click();
    await button(page, 'Sign out').waitFor();
    expect(await page.getByRole('link', { name: 'Owner’s desk' }).count()).toBe(0);
    await page.goto('/studio/desk');
    await page.getByRole('alert').filter({ hasText: 'Only admins can open the owner’s desk.' }).waitFor();
    await page.getByText('Your images will appear here.').waitFor();
    expect(files).toEqual([]);
  });

  it('who reach it from the account menu', async () => {
    const { page } = await openWindow();
    const files = recordDeskFiles(page);
    await button(page, 'Continue as the admin').click();
    await generateButton(page).waitFor();
    expect(files).toEqual([]);
    await accountMenu(page).click();
    await page.getByRole('link', { name: 'Owner’s desk' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css'))).toBe(
      true,
    );
    await page.getByRole('link', { name: 'Back to the studio' }).click();
    await generateButton(page).waitFor();
  });
});

describe('a search', () => {
  it('finds an account by its address, its uid and a support code, and says if there is none', async () => {
    const user = await studio().newUser({ credits: 3 });
    const { id } = await studio().generateFor(user, { prompt: 'A lost key', tier: 'standard' });
    const { page } = await openDesk(undefined, '#/accounts');
    for (const find of [user.email, user.uid, id]) {
      await page.getByLabel('Find an account').fill(find);
      await page.keyboard.press('Enter');
      await page.getByText(`1 account found for “${find}”`).waitFor();
    }
    await page.getByRole('link', { name: user.uid }).click();
    await page.locator('.marked').filter({ hasText: 'A lost key' }).waitFor();
    await page.getByRole('link', { name: 'All accounts' }).click();
    await page.getByLabel('Find an account').fill('nobody@example.com');
    await button(page, 'Search').click();
    await page.getByRole('heading', { name: 'No account found' }).waitFor();
  });
});

describe('a grant', () => {
  it('changes the balance of the user, and is in the record', async () => {
    const { page, user } = await openUserWindow(10);
    const desk = await openAccountPage(user);
    await button(desk.page, 'Grant credits').click();
    const sentence = await fillIn(desk.page, 'Grant or take credits', { credits: '4', reason: 'A gift' });
    expect(sentence).toBe(`${user.email} gets 4 credits. Balance 10 → 14.`);
    await button(desk.page, 'Give 4 credits').click();
    await waitForBalance(page, 14);
    await balanceOnDesk(desk.page).filter({ hasText: '14 credits' }).waitFor();
    const record = desk.page.getByRole('region', { name: 'What admins did' });
    expect(await record.textContent()).toMatch(/Grant\+4 creditsA gift.*admin@example\.com/);
    expect(await hasFocus(button(desk.page, 'Grant credits'))).toBe(true);
  });

  it('takes credits, but not more than there are', async () => {
    const { page, user } = await openUserWindow(10);
    const desk = await openAccountPage(user);
    await button(desk.page, 'Grant credits').click();
    const sheet = dialog(desk.page, 'Grant or take credits');
    await sheet.getByRole('radio', { name: 'Take' }).check();
    expect(await sheet.getByRole('spinbutton', { name: 'Credits' }).getAttribute('max')).toBe('10');
    const sentence = await fillIn(desk.page, 'Grant or take credits', { credits: '3', reason: 'An error' });
    expect(sentence).toBe(`${user.email} loses 3 credits. Balance 10 → 7.`);
    await button(desk.page, 'Take 3 credits').click();
    await waitForBalance(page, 7);
  });

  it('needs a reason', async () => {
    const { user } = await openUserWindow(10);
    const { page } = await openAccountPage(user);
    await button(page, 'Grant credits').click();
    const sheet = dialog(page, 'Grant or take credits');
    await sheet.getByRole('spinbutton', { name: 'Credits' }).fill('4');
    for (const reason of ['', '   ']) {
      await sheet.getByRole('textbox', { name: /^Reason/ }).fill(reason);
      await button(sheet, 'Continue').click();
      expect(await button(sheet, 'Continue').isVisible()).toBe(true);
    }
  });

  it('is made once by a double click, and once if its reply is lost and the admin tries again', async () => {
    const { page, user } = await openUserWindow(10);
    const desk = await openAccountPage(user);
    desk.allow(/net::ERR_FAILED/);
    const keys = new Set<string | undefined>();
    let isLost = true;
    await desk.context.route('**/grant', async (route) => {
      keys.add(route.request().headers()['idempotency-key']);
      if (!isLost) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await button(desk.page, 'Grant credits').click();
    await fillIn(desk.page, 'Grant or take credits', { credits: '5', reason: 'A gift' });
    const sheet = dialog(desk.page, 'Grant or take credits');
    await button(sheet, 'Give 5 credits').dblclick();
    await sheet.getByText('Try again: it cannot happen twice.').waitFor();
    expect(await button(sheet, 'Back').count()).toBe(0);
    isLost = false;
    await button(sheet, 'Try again').click();
    await waitForClosed(sheet);
    await balanceOnDesk(desk.page).filter({ hasText: '15 credits' }).waitFor();
    await waitForBalance(page, 15);
    expect(keys.size).toBe(1);
    expect((await studio().listEntries(user)).map(({ amount }) => amount)).toEqual([5, 10]);
  });

  it('needs no mouse', async () => {
    const { user } = await openUserWindow(10);
    const { page } = await openAccountPage(user);
    await tabTo(page, button(page, 'Grant credits'));
    await page.keyboard.press('Enter');
    const sheet = dialog(page, 'Grant or take credits');
    await expect.poll(() => hasFocus(sheet.getByRole('spinbutton', { name: 'Credits' }))).toBe(true);
    await page.keyboard.type('2');
    await page.keyboard.press('Tab');
    await page.keyboard.type('A gift');
    await tabTo(page, button(sheet, 'Continue'));
    await page.keyboard.press('Enter');
    await tabTo(page, button(sheet, 'Give 2 credits'));
    await page.keyboard.press('Enter');
    await balanceOnDesk(page).filter({ hasText: '12 credits' }).waitFor();
    expect(await hasFocus(button(page, 'Grant credits'))).toBe(true);
  });
});

describe('a goodwill refund', () => {
  it('gives back the price of one image, once, whichever admin tries', async () => {
    const { page, user } = await openUserWindow(20);
    await studio().generateFor(user, { prompt: 'A hand with six fingers', tier: 'premium4' });
    const one = await openAccountPage(user);
    const other = await openAccountPage(user);
    other.allow(/Failed to load resource.*status of 400/);
    for (const desk of [one, other]) {
      await button(desk.page, 'Refund: A hand with six fingers').click();
      const amount = dialog(desk.page, 'Goodwill refund').getByRole('spinbutton', { name: 'Credits' });
      expect([await amount.inputValue(), await amount.getAttribute('max')]).toEqual(['4', '4']);
      await dialog(desk.page, 'Goodwill refund')
        .getByText(/^“A hand with six fingers”, .*\d/)
        .waitFor();
      const sentence = await fillIn(desk.page, 'Goodwill refund', { reason: 'Six fingers' });
      expect(sentence).toBe(
        `${user.email} gets 4 credits for the image “A hand with six fingers”. Balance 16 → 20. This is possible once.`,
      );
    }
    await button(one.page, 'Refund 4 credits').click();
    await waitForClosed(dialog(one.page, 'Goodwill refund'));
    await waitForBalance(page, 20);
    await one.page.getByText('4 credits · 4 refunded as goodwill').waitFor();
    expect(await button(one.page, 'Refund: A hand with six fingers').count()).toBe(0);
    await button(other.page, 'Refund 4 credits').click();
    await other.page
      .getByRole('alert')
      .filter({ hasText: 'This image has had its goodwill refund.' })
      .waitFor();
    expect((await studio().listEntries(user)).map(({ amount }) => amount)).toEqual([4, -4, 20]);
  });
});

describe('a suspension', () => {
  it('stops the user, until it ends', async () => {
    const { page, user, allow } = await openUserWindow(10);
    allow(/Failed to load resource.*status of 403.*\/generate/);
    const desk = await openAccountPage(user);
    await button(desk.page, 'Suspend').click();
    await fillIn(desk.page, 'Suspend this person', { reason: 'Stolen images' });
    await button(dialog(desk.page, 'Suspend this person'), 'Suspend').click();
    await button(desk.page, 'End suspension').waitFor();
    await page.getByRole('alert').filter({ hasText: 'suspended' }).first().waitFor();
    await submitPrompt(page, { prompt: 'Not for me' });
    await pendingCard(page, 'Not for me').getByText('You were not charged.').waitFor();

    await button(desk.page, 'End suspension').click();
    await fillIn(desk.page, 'End the suspension', { reason: 'A mistake' });
    await button(dialog(desk.page, 'End the suspension'), 'End suspension').click();
    await button(desk.page, 'Suspend').waitFor();
    await button(pendingCard(page, 'Not for me'), 'Try again').click();
    await imageWithPrompt(page, 'Not for me').waitFor();
  });
});

describe('a take-down', () => {
  it('removes the image, and the user sees the reason', async () => {
    const { page, user } = await openUserWindow(10);
    const { id } = await studio().generateFor(user, { prompt: 'A famous mouse', tier: 'standard' });
    const desk = await openAccountPage(user);
    await button(desk.page, 'Take down: A famous mouse').click();
    const sentence = await fillIn(desk.page, 'Take down this image', { reason: 'It shows a trade mark' });
    expect(sentence).toContain(`The image “A famous mouse” of ${user.email} is removed everywhere`);
    await button(dialog(desk.page, 'Take down this image'), 'Take down').click();
    await desk.page.getByText('Removed by the studio: It shows a trade mark').waitFor();
    expect(await studio().listImages(user)).toEqual([]);
    await page.goto(`/studio#/image/${id}`);
    await page.getByText('It shows a trade mark').waitFor();
  });
});

describe('a report', () => {
  async function reportAnImage(prompt: string): Promise<User> {
    const user = await studio().newUser({ credits: 10 });
    const token = await studio().shareImageOf(user, { prompt, tier: 'standard' });
    await studio().report({ token, reason: 'copyright', details: `Of ${prompt}` });
    return user;
  }
  const findReport = (page: Page, prompt: string) =>
    page.getByRole('listitem').filter({ hasText: `Of ${prompt}` });

  it('is dismissed, or its image is taken down', async () => {
    const kept = await reportAnImage('A kept bench');
    const removed = await reportAnImage('A stolen bench');
    const { page } = await openDesk(undefined, '#/reports');
    await button(findReport(page, 'A kept bench'), 'Dismiss').click();
    await button(dialog(page, 'Dismiss this report'), 'Dismiss report').click();
    await findReport(page, 'A kept bench').waitFor({ state: 'detached' });
    await button(findReport(page, 'A stolen bench'), 'Take down').click();
    const sheet = dialog(page, 'Take down this image');
    expect(await sheet.textContent()).toContain('The user sees the reason: It violates a copyright.');
    await button(sheet, 'Take down').click();
    await page.getByRole('heading', { name: 'No open reports' }).waitFor();
    expect((await studio().listImages(kept)).map(({ prompt }) => prompt)).toEqual(['A kept bench']);
    expect(await studio().listImages(removed)).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { name: 'No open reports' }).waitFor();
  });
});

describe('the overview', () => {
  it('shows what happened', async () => {
    const user = await studio().newUser({ credits: 10 });
    const { page } = await openAccountPage(user);
    await button(page, 'Grant credits').click();
    await fillIn(page, 'Grant or take credits', { credits: '7', reason: 'For the overview' });
    await button(page, 'Give 7 credits').click();
    await balanceOnDesk(page).filter({ hasText: '17 credits' }).waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    const readImages = async () =>
      Number(
        await page
          .locator('.figures li')
          .filter({ hasText: 'Images' })
          .last()
          .locator('.figure')
          .textContent(),
      );
    await page.getByText('For the overview').first().waitFor();
    const before = await readImages();
    await studio().generateFor(user, { prompt: 'One more', tier: 'standard' });
    await page.getByRole('radio', { name: '7 days' }).check();
    await expect.poll(readImages).toBe(before + 1);
    await expect.poll(() => page.locator('.days tbody tr').count()).toBe(7);
    expect(await page.locator('.days tbody tr').first().textContent()).toContain(String(before + 1));
    expect(await page.getByRole('region', { name: 'Scheduled jobs' }).textContent()).toContain(
      'Has not finished',
    );
    expect(await page.getByRole('region', { name: 'Models' }).textContent()).toContain('Ready');
    await page.getByRole('link', { name: user.uid }).first().click();
    await page.getByRole('heading', { name: 'Entries' }).waitFor();
  });
});

describe('every view of the desk', () => {
  const looks: [string, Look][] = [
    ['on a desktop, light', { size: desktop, colorScheme: 'light' }],
    ['on a desktop, dark', { size: desktop, colorScheme: 'dark' }],
    ['on a phone, light', { size: phone, touch: true, colorScheme: 'light' }],
    ['on a phone, dark', { size: phone, touch: true, colorScheme: 'dark' }],
  ];

  it.each(looks)('has no accessibility violations and fits its window, %s', async (_, look) => {
    const user = await studio().newUser({ credits: 10 });
    const token = await studio().shareImageOf(user, { prompt: 'A bench', tier: 'premium4' });
    await studio().report({ token, reason: 'other', details: 'a'.repeat(200) });
    const { page } = await openDesk({ ...look, reducedMotion: 'reduce' });
    const found: Record<string, string[]> = {};
    const check = async (view: string) => {
      const faults = [
        ...(await findViolations(page)),
        ...(await findOverflow(page)),
        ...(await findCoveredText(page)),
      ];
      if (faults.length > 0) found[view] = faults;
    };
    await page.getByRole('heading', { name: 'Scheduled jobs' }).waitFor();
    await check('overview');
    await page.getByRole('link', { name: 'Accounts' }).click();
    await page.getByRole('link', { name: user.uid, exact: false }).first().waitFor();
    await check('accounts');
    await page.getByRole('link', { name: user.uid, exact: false }).first().click();
    await page.getByRole('heading', { name: 'Entries' }).waitFor();
    await check('account');
    await button(page, 'Refund: A bench').click();
    await check('refund');
    await fillIn(page, 'Goodwill refund', { reason: 'For the test' });
    await check('confirmation');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Reports' }).click();
    await button(page, 'Dismiss').first().waitFor();
    await check('reports');
    expect(found).toEqual({});
  });
});
