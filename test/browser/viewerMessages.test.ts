/** What the viewer says: messages over it, the progress of what is made, and where the user is. */
import { describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { phone } from './support/browserWindow.ts';
import { hasFocus } from './support/focus.ts';
import { button, dialog, gallery, images, openImage, promptField, viewer } from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';
import { changeField, createOpenLast, currentOf, goToImage, message, strip } from './support/viewer.ts';

const { studio, openWindow } = useStudio({ IMAGEGEN_FALLBACK_MODEL_IDS: '', RETRY_ATTEMPTS: '1' });
const openLast = createOpenLast({ studio, openWindow });
const standard = (prompt: string) => ({ prompt, tier: 'standard' }) as const;

describe('a message', () => {
  it('is seen and spoken over the viewer, over a dialog on it, and above the composer of the page', async () => {
    const { page, view } = await openLast([standard('A bell')]);
    await button(view, 'Copy prompt').click();
    await message(view, 'Prompt copied.').waitFor();
    const panel = await view.getByRole('complementary').boundingBox();
    const box = await message(view, 'Prompt copied.').boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan(panel?.x ?? 0);

    await page.keyboard.press('f');
    await message(view, 'Added to your favourites.').waitFor();
    await page.keyboard.press('Delete');
    const question = dialog(page, 'Delete this image?');
    await message(question, 'Added to your favourites.').waitFor();
    expect(await page.locator('.announcer p').count()).toBe(1);
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await message(view, 'Added to your favourites.').waitFor();
    await page.keyboard.press('f');
    await page.keyboard.press('Escape');
    await view.waitFor({ state: 'detached' });
    const onPage = message(page, 'No longer a favourite.');
    await onPage.waitFor();
    const [shown, composer] = [await onPage.boundingBox(), await page.locator('form.composer').boundingBox()];
    expect((shown?.y ?? 0) + (shown?.height ?? 0)).toBeLessThan(composer?.y ?? 0);
  });

  it('says that an image is ready where the viewer hides it', async () => {
    const { view } = await openLast([standard('A drum')]);
    await button(view, 'Again · 1 credit').click();
    await message(view, 'Your image is ready.').waitFor();
  });
});

describe('what is made', () => {
  it('is under its button on a phone, with the time since', async () => {
    const { view } = await openLast([standard('A door')], { size: phone, touch: true });
    const edit = studio().pauseNextImage();
    await changeField(view).fill('Open it');
    await button(view, 'Edit · 1 credit').tap();
    await edit.reached;
    const line = view.getByText(/^Making your edit …/);
    await line.filter({ hasText: /\d:\d\d$/ }).waitFor();
    const [above, below] = [await button(view, 'Edit · 1 credit').boundingBox(), await line.boundingBox()];
    expect((below?.y ?? 0) - (above?.y ?? 0) - (above?.height ?? 0)).toBeLessThan(20);
    const repeat = studio().pauseNextImage();
    await button(view, 'Again · 1 credit').tap();
    await repeat.reached;
    await view.getByText(/^Making another image …/).waitFor();
    edit.release();
    repeat.release();
    await line.waitFor({ state: 'detached' });
    await view.getByText(/^Making another image …/).waitFor({ state: 'detached' });
  });

  it('leaves the image where it is on a wide screen', async () => {
    const { view } = await openLast([standard('A door')]);
    const before = await view.locator('.picture').boundingBox();
    const hold = studio().pauseNextImage();
    await changeField(view).fill('Open it');
    await button(view, 'Edit · 1 credit').click();
    await strip(view, 'Versions').getByRole('img', { name: 'Being made: Open it' }).waitFor();
    expect(await view.locator('.picture').boundingBox()).toEqual(before);
    hold.release();
    await currentOf(view, 'Versions')
      .and(view.getByRole('button', { name: 'Image 2: Open it' }))
      .waitFor();
  });

  it('is "Not made" once it has failed', async () => {
    const { view, allow } = await openLast([standard('A gate')]);
    allow(/Failed to load resource.*status of 422/);
    studio().gemini.script(geminiFault.noImage('IMAGE_SAFETY'));
    await changeField(view).fill('Open it');
    await button(view, 'Edit · 1 credit').click();
    await strip(view, 'Versions').getByRole('img', { name: 'Not made: Open it' }).waitFor();
    expect(await view.getByText(/^Making your edit/).count()).toBe(0);
  });
});

describe('the image that is open', () => {
  it('is an edit once it is ready, with the focus still in the field', async () => {
    const { view } = await openLast([standard('A lamp')]);
    await changeField(view).fill('Switched on');
    await changeField(view).press('Control+Enter');
    await view.getByText('Image 1 of 2: Switched on').waitFor();
    expect(await hasFocus(changeField(view))).toBe(true);
    await message(view, 'Your image is ready.').waitFor();
  });

  it('is spoken with its place, and the focus stays in the viewer', async () => {
    const { page, view, made } = await openLast([standard('A first one'), standard('A second one')]);
    const place = view.locator('[aria-live=polite]:not([role])');
    expect(await place.textContent()).toBe('Image 1 of 2: A second one');
    expect(await view.getAttribute('aria-describedby')).toContain((await place.getAttribute('id')) ?? '?');
    await button(view, 'Next image').focus();
    await page.keyboard.press('Enter');
    await view.getByText('Image 2 of 2: A first one').waitFor();
    await expect.poll(() => hasFocus(button(view, 'Previous image'))).toBe(true);
    await page.keyboard.press('ArrowLeft');
    await view.getByText('Image 1 of 2: A second one').waitFor();
    await expect.poll(() => hasFocus(button(view, 'Next image'))).toBe(true);
    // An image that is not in the list has no place, and no actions while it is loaded.
    await button(view, 'Share').focus();
    await goToImage(page, { id: made[0]?.id ?? '' });
    await view.getByText('Image 2 of 2: A first one').waitFor();
    await expect.poll(() => hasFocus(view)).toBe(true);
  });

  it('has the focus without a ring after a click, and with one after a key', async () => {
    const { page } = await openLast([standard('A first one'), standard('A second one')]);
    await page.keyboard.press('Escape');
    await viewer(page).waitFor({ state: 'detached' });
    const other = await page.context().newPage();
    await other.goto('/studio');
    await images(other).first().waitFor();
    const hasRing = () =>
      viewer(other)
        .locator('.canvas')
        .evaluate((one) => getComputedStyle(one, '::after').boxShadow !== 'none');
    const view = await openImage(other, 'A second one');
    await expect.poll(() => hasFocus(view)).toBe(true);
    await other.keyboard.press('ArrowRight');
    await view.getByText('Image 2 of 2: A first one').waitFor();
    expect(await hasFocus(view)).toBe(true);
    expect(await hasRing()).toBe(false);
    await other.keyboard.press('Escape');
    await view.waitFor({ state: 'detached' });
    await other.keyboard.press('Enter');
    await expect.poll(() => hasFocus(view)).toBe(true);
    expect(await hasRing()).toBe(true);
  });

  it('is gone once it is deleted, also where the page still knows it', async () => {
    const { page, view, user } = await openLast([
      standard('A seed'),
      ([seed]) => ({ ...standard('Sprouting'), editOf: seed?.id ?? '' }),
    ]);
    await currentOf(view, 'Versions')
      .and(view.getByRole('button', { name: 'Image 2: Sprouting' }))
      .waitFor();
    const [edit] = await studio().listImages(user);
    await page.keyboard.press('Delete');
    const question = dialog(page, 'Delete this image?');
    const title = question.getByRole('heading');
    expect(
      await title.evaluate((one) => Number.parseFloat(getComputedStyle(one).fontSize)),
    ).toBeGreaterThanOrEqual(16);
    const description = await question.getAttribute('aria-describedby');
    expect(await question.locator(`#${description}`).textContent()).toMatch(/deleted permanently/);
    await button(question, 'Delete image').click();
    await view.getByText('Image 1 of 1: A seed').waitFor();
    await goToImage(page, { id: edit?.id ?? '' });
    await view.getByText('This image was deleted.').waitFor();
    expect(await view.getByText('Sprouting').count()).toBe(0);
    await page.keyboard.press('Escape');
    await gallery(page).waitFor();
    await promptField(page).waitFor();
  });
});
