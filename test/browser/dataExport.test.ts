/** The export of the user's data: as JSON, and with the images as a ZIP file. */
import { readFile } from 'node:fs/promises';
import type { Download, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { AccountExport } from '../../shared/contract.ts';
import { accountMenu, button, dialog, signIn } from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

const account = (page: Page) => dialog(page, 'Your account');

/** A user with this many images, in the open account dialog. */
async function openAccount(images: number) {
  const user = await studio().newUser({ credits: 10 });
  for (let i = 0; i < images; i += 1) {
    await studio().generateFor(user, { prompt: `Image number ${i}`, tier: 'standard' });
  }
  const window = await openWindow();
  await signIn(window.page, user);
  return { ...window, user };
}

async function openDialog(page: Page): Promise<void> {
  await accountMenu(page).click();
  await button(page, 'Your account').click();
}

/** Without it the browser downloads one file. Tests cannot choose a place for a file. */
const withoutFilePicker = (page: Page) =>
  page.evaluate(() => {
    delete (globalThis as { showSaveFilePicker?: unknown }).showSaveFilePicker;
  });

async function readDownload(download: Download): Promise<Buffer> {
  return readFile(await download.path());
}

async function clickForDownload(page: Page, name: string): Promise<Download> {
  const [download] = await Promise.all([page.waitForEvent('download'), button(account(page), name).click()]);
  return download;
}

/** The names in the central directory. */
function listFiles(zip: Buffer): string[] {
  const names: string[] = [];
  for (let at = zip.readUInt32LE(zip.length - 6); zip.readUInt32LE(at) === 0x02014b50; ) {
    const length = zip.readUInt16LE(at + 28);
    names.push(zip.toString('utf8', at + 46, at + 46 + length));
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return names;
}

it('saves the data as JSON', async () => {
  const { page, user } = await openAccount(2);
  await openDialog(page);
  const download = await clickForDownload(page, 'Export my data');
  expect(download.suggestedFilename()).toBe('nano-banana-studio.json');
  const data: AccountExport = JSON.parse((await readDownload(download)).toString());
  expect(data.account).toMatchObject({ uid: user.uid, balance: 8 });
  expect(data.generations.map(({ prompt }) => prompt).sort()).toEqual(['Image number 0', 'Image number 1']);
  await account(page).getByText('Your data is saved.').waitFor();
});

describe('with images', () => {
  it('downloads a ZIP with the data and every image', async () => {
    const { page } = await openAccount(3);
    await withoutFilePicker(page);
    await openDialog(page);
    const zip = await readDownload(await clickForDownload(page, 'Export with images'));
    const names = listFiles(zip);
    expect(names[0]).toBe('account.json');
    expect(names.slice(1).sort()).toEqual(
      [0, 1, 2].map((i) => expect.stringMatching(new RegExp(`^images/image-number-${i}-[0-9a-f]{8}\\.png$`))),
    );
    expect(zip.indexOf('\x89PNG', 0, 'latin1')).toBeGreaterThan(0);
    await account(page).getByText('Your data is saved.').waitFor();
  });

  it('writes it piece by piece to the file that the user chose', async () => {
    const { page } = await openAccount(2);
    await page.evaluate(() => {
      const written = { bytes: 0, closed: false, name: '' };
      const createWritable = async () =>
        new WritableStream<Uint8Array>({
          write(chunk) {
            written.bytes += chunk.length;
          },
          close() {
            written.closed = true;
          },
        });
      const showSaveFilePicker = async ({ suggestedName }: { suggestedName: string }) => {
        written.name = suggestedName;
        return { createWritable };
      };
      Object.assign(globalThis, { written, showSaveFilePicker });
    });
    await openDialog(page);
    await button(account(page), 'Export with images').click();
    await account(page).getByText('Your data is saved.').waitFor();
    const written = await page.evaluate(
      () => (globalThis as unknown as { written: { bytes: number } }).written,
    );
    expect(written).toMatchObject({ closed: true, name: 'nano-banana-studio.zip' });
    expect(written.bytes).toBeGreaterThan(1_000);
  });

  it('says how many images are missing', async () => {
    const { page, allow, context } = await openAccount(2);
    allow(/Failed to load resource/);
    await withoutFilePicker(page);
    let failed: string | undefined;
    await context.route(/\/image\/upload\//, (route) => {
      if (route.request().resourceType() !== 'fetch') return route.continue();
      failed ??= route.request().url();
      return route.request().url() === failed ? route.abort() : route.continue();
    });
    await openDialog(page);
    const zip = await readDownload(await clickForDownload(page, 'Export with images'));
    expect(listFiles(zip)).toHaveLength(3);
    expect(zip.toString('latin1')).toContain(failed);
    await account(page).getByText('one image could not be fetched').waitFor();
  });

  it('shows its progress with the dialog closed and open, and can be cancelled', async () => {
    const { page, context } = await openAccount(2);
    await withoutFilePicker(page);
    const { promise, resolve } = Promise.withResolvers<void>();
    await context.route(/\/image\/upload\//, async (route) => {
      if (route.request().resourceType() === 'fetch') await promise;
      await route.continue().catch(() => {});
    });
    await openDialog(page);
    await button(account(page), 'Export with images').click();
    await account(page).getByText('0 of 2 images …').waitFor();
    await page.keyboard.press('Escape');
    await openDialog(page);
    await account(page).getByRole('progressbar', { name: 'Images' }).waitFor();
    await button(account(page), 'Cancel export').click();
    await button(account(page), 'Export with images').waitFor();
    resolve();
  });
});
