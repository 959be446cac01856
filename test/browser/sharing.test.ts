/** An image becomes public and private again, is reported by somebody without an account, and is removed by the studio. */
import { describe, expect, it } from 'vitest';
import { findViolations } from './support/axe.ts';
import { phone } from './support/browserWindow.ts';
import { hasFocus } from './support/focus.ts';
import { findOverflow, measureLayoutShift } from './support/layout.ts';
import { button, generateImage, getPixelSize, images, openImage, signIn, viewer } from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';

const { studio, openWindow } = useStudio();

/** Opens a window with a finished image in the viewer. */
async function openAnImage(prompt: string) {
  const user = await studio().newUser({ credits: 20 });
  const browserWindow = await openWindow();
  const { page } = browserWindow;
  await signIn(page, user);
  await generateImage(page, { prompt });
  await images(page).first().waitFor();
  await openImage(page, prompt);
  return { ...browserWindow, user };
}

const asAdmin = (path: string, body: object) =>
  fetch(`${studio().url}/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('an image', () => {
  it('is public under a link, and private again', async () => {
    const { page } = await openAnImage('A public bench');
    await viewer(page).getByText('Only you can see this image.').waitFor();
    expect(await button(viewer(page), 'Copy link').count()).toBe(0);
    await button(viewer(page), 'Share').click();
    const link = viewer(page).getByRole('link', { name: 'this link' });
    const address = (await link.getAttribute('href')) ?? '';
    await button(viewer(page), 'Copy link').click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(address);

    const visitor = await openWindow();
    await visitor.page.goto(address);
    const image = visitor.page.getByRole('img', { name: 'An image made with AI' });
    await expect
      .poll(() => image.evaluate((one) => (one as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
    expect(await visitor.page.content()).not.toContain('A public bench');

    await button(viewer(page), 'Make private').click();
    await button(viewer(page), 'Share').waitFor();
    expect(await link.count()).toBe(0);
    visitor.allow(/404/);
    expect((await visitor.page.goto(address))?.status()).toBe(404);
    await visitor.page.getByRole('heading', { name: 'There is no image here' }).waitFor();
  });

  it('keeps its link through a second Enter, and the system passes the link on where it can', async () => {
    const { page } = await openAnImage('A bench for two');
    expect(await button(viewer(page), 'Share link …').count()).toBe(0);
    await page.evaluate(() => {
      Object.assign(navigator, {
        share: async ({ url }: { url: string }) => {
          document.title = url;
        },
      });
    });
    await button(viewer(page), 'Share').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => hasFocus(button(viewer(page), 'Copy link'))).toBe(true);
    await page.keyboard.press('Enter');
    await viewer(page).getByRole('status').getByText('Link copied.').waitFor();
    const link = viewer(page).getByRole('link', { name: 'this link (opens a new tab)', exact: true });
    await button(viewer(page), 'Share link …').click();
    expect(await page.title()).toBe(await link.getAttribute('href'));
    await button(viewer(page), 'Make private').click();
    await button(viewer(page), 'Share').waitFor();
    expect(await button(viewer(page), 'Share link …').count()).toBe(0);
  }, 30_000);

  it('is reported by somebody without an account', async () => {
    const { page } = await openAnImage('A reported bench');
    await button(viewer(page), 'Share').click();
    const link = viewer(page).getByRole('link', { name: 'this link' });
    const visitor = await openWindow();
    await visitor.page.goto((await link.getAttribute('href')) ?? '');
    await visitor.page.getByRole('link', { name: 'Report this image' }).click();
    await visitor.page.getByLabel('What is wrong with it?').selectOption('It violates a copyright');
    await visitor.page.getByLabel('Details (optional)').fill('My own drawing.');
    await button(visitor.page, 'Send report').click();
    await visitor.page.getByText('Thank you. We will look at the image.').waitFor();
    const answer = await fetch(`${studio().url}/reports`, { headers: { authorization: 'Bearer owner' } });
    const { reports } = await answer.json();
    expect(reports).toMatchObject([{ reason: 'copyright', details: 'My own drawing.' }]);
  });

  it('that the studio removed says so, and why', async () => {
    const { page, user } = await openAnImage('A removed bench');
    const [generation] = await studio().listImages(user);
    const removal = { uid: user.uid, generationId: generation?.id, reason: 'personal' };
    expect((await asAdmin('takedown', removal)).status).toBe(200);
    await page.reload();
    await viewer(page)
      .getByText('The studio removed this image. Reason: It shows a person who did not agree.')
      .waitFor();
  });
});

describe('the page of an image that is 9:16', () => {
  async function shareTallImage(): Promise<string> {
    const user = await studio().newUser({ credits: 20 });
    const request = { prompt: 'A tall bench', tier: 'premium4', orientation: 'portrait' } as const;
    return `/i/${await studio().shareImageOf(user, request)}`;
  }

  it('shows it whole on a phone and on a desktop, in both colour schemes', async () => {
    const address = await shareTallImage();
    for (const size of [phone, { width: 1440, height: 900 }]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await openWindow({ size, colorScheme });
        await page.goto(address);
        const image = page.getByRole('img', { name: 'An image made with AI' });
        const natural = await getPixelSize(image);
        const box = await image.evaluate((element) => element.getBoundingClientRect().toJSON());
        expect(box.top).toBeGreaterThanOrEqual(0);
        expect(box.bottom).toBeLessThanOrEqual(size.height);
        expect(box.width / box.height).toBeCloseTo(natural.width / natural.height, 2);
        expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(size.height);
        const title = await page.getByRole('heading', { name: 'Made with AI' }).boundingBox();
        expect(title?.x).toBeCloseTo(box.left, 0);
        expect(await findOverflow(page)).toEqual([]);
        expect(await findViolations(page)).toEqual([]);
      }
    }
  });

  it('keeps its place free until it is loaded', async () => {
    const address = await shareTallImage();
    const { page, allow } = await openWindow({ size: phone });
    const image = page.getByRole('img', { name: 'An image made with AI' });
    allow(/ERR_FAILED/);
    await page.route('**/shares/*', (route) => route.abort());
    await page.goto(address);
    const before = await image.boundingBox();
    await page.unroute('**/shares/*');
    await page.reload();
    await getPixelSize(image);
    expect(await image.boundingBox()).toEqual(before);
    expect(await measureLayoutShift(page)).toBe(0);
  });
});

it('the page without an image has no accessibility problem', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, allow } = await openWindow({ size: phone, colorScheme });
    allow(/404/);
    await page.goto('/i/unknown');
    expect(await findOverflow(page)).toEqual([]);
    expect(await findViolations(page)).toEqual([]);
    expect(await page.getByRole('link', { name: 'Open the studio' }).getAttribute('href')).toMatch(
      /\/studio$/,
    );
  }
});
