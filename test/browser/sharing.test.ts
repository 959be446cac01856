/** An image becomes public and private again, is reported by somebody without an account, and is removed by the studio. */
import { describe, expect, it } from 'vitest';
import { hasFocus } from './support/focus.ts';
import { button, generateImage, images, openImage, signIn, viewer } from './support/steps.ts';
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
