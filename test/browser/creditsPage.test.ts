/** The credits page: one line for each image, months and the CSV file. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { findViolations } from './support/axe.ts';
import { button, goTo, signIn, viewer } from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio({ RETRY_ATTEMPTS: '1', IMAGEGEN_FALLBACK_MODEL_IDS: '' });

const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

/** A user with an image that support has partly paid for, and one that was refunded, on the credits page. */
async function openCredits() {
  const user = await studio().newUser({ credits: 20 });
  const { id } = await studio().generateFor(user, { prompt: 'A paid one', tier: 'premium4' });
  studio().gemini.script(geminiFault.noImage('IMAGE_SAFETY'));
  await studio()
    .generateFor(user, { prompt: 'A declined one', tier: 'premium2' })
    .catch(() => {});
  await studio().callAsAdmin('grant', { uid: user.uid, amount: 3, reason: 'sorry', generationId: id });
  const window = await openWindow();
  await signIn(window.page, user);
  await goTo(window.page, 'Credits');
  await row(window.page, 'A declined one').waitFor();
  return { ...window, user };
}

it('an image is one line with its prompt, whatever its entries are', async () => {
  const { page } = await openCredits();
  await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(4);
  const paid = row(page, 'A paid one');
  await paid.getByText('3 credits returned by support').waitFor();
  await paid.getByText('−4 +3').waitFor();
  expect(await paid.getByRole('cell').last().textContent()).toBe('19');
  const declined = row(page, 'A declined one');
  await declined.getByText('Refunded: the model declined this prompt').waitFor();
  expect(await declined.getByRole('cell').nth(1).textContent()).toContain('0');
  expect(await findViolations(page)).toEqual([]);
  await paid.getByRole('link', { name: 'A paid one' }).click();
  await viewer(page).waitFor();
});

it('a month shows its lines and sums, and is saved as a CSV file', async () => {
  const { page } = await openCredits();
  const month = page.getByRole('combobox', { name: 'Month' });
  const now = new Date().toISOString().slice(0, 7);
  await month.selectOption(now);
  await page.getByText('Spent: 1 · Added: 20').waitFor();
  await page
    .getByRole('status')
    .getByText(/: 3 lines\.$/)
    .waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download CSV').click()]);
  expect(download.suggestedFilename()).toBe(`nano-banana-studio-credits-${now}.csv`);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
  expect(lines[0]).toBe('Time,What,Credits,Balance,Image id');
  const amounts = lines.slice(1).map((line) => line.split(',')[2]);
  expect(amounts).toEqual(['3', '2', '-2', '-4', '20']);
});
