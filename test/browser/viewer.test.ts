/** The viewer: edits and their lineage, another image like this one, copies in other formats, what an image cost. */
import { readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { onePixelPng, squarePng } from '../support/pictures.ts';
import {
  button,
  chip,
  generateButton,
  images,
  openShapes,
  orientationChoice,
  promptField,
  references,
  signIn,
  tierChoice,
  viewer,
  waitForBalance,
} from './support/steps.ts';
import { useStudio } from './support/useStudio.ts';
import { changeField, createOpenLast, currentOf, goToImage, strip } from './support/viewer.ts';

// A model that has every resolution.
const { studio, openWindow } = useStudio({
  IMAGEGEN_MODEL_ID: 'gemini-3-pro-image',
  IMAGEGEN_FALLBACK_MODEL_IDS: '',
  RETRY_ATTEMPTS: '1',
});

const openLast = createOpenLast({ studio, openWindow });
const newest = async (user: Parameters<ReturnType<typeof studio>['listImages']>[0]) => {
  const [generation] = await studio().listImages(user);
  if (!generation) throw new Error('There is no image');
  return generation;
};

describe('an edit', () => {
  it('has its price on its button, becomes an image of its own, and is shown beside the one it changes', async () => {
    const { page, view, user, last } = await openLast([
      { prompt: 'A lamp', tier: 'premium2', orientation: 'portrait', resolution: '2K' },
    ]);
    await changeField(view).fill('Switched on');
    await button(view, 'Edit · 4 credits').click();
    await currentOf(view, 'Versions')
      .and(view.getByRole('button', { name: 'Image 2: Switched on' }))
      .waitFor();
    const edit = await newest(user);
    expect(edit).toMatchObject({
      prompt: 'Switched on',
      parentId: last.id,
      tier: 'premium2',
      orientation: 'portrait',
      resolution: '2K',
      credits: 4,
    });
    expect(new URL(page.url()).hash).toBe(`#/image/${edit.id}`);
    await waitForBalance(page, 92);

    await page.keyboard.press('Escape');
    await view.waitFor({ state: 'detached' });
    await goToImage(page, edit);
    await button(view, 'Compare with the image before').waitFor();
    await page.keyboard.press('c');
    const line = view.getByRole('slider', { name: 'Line between before and after' });
    await expect.poll(() => line.evaluate((one) => one === document.activeElement)).toBe(true);
    const shownBefore = () =>
      view.locator('.comparison .before').evaluate((one) => getComputedStyle(one).clipPath);
    expect(await shownBefore()).toBe('inset(0px 50% 0px 0px)');
    await page.keyboard.press('End');
    await expect.poll(shownBefore).toMatch(/^inset\(0px\b/);
    expect(await line.inputValue()).toBe('100');
    await button(view, 'Compare with the image before').click();
    await line.waitFor({ state: 'detached' });
    await strip(view, 'Versions').getByRole('button', { name: 'Image 1: A lamp' }).click();
    await view.getByText('A lamp', { exact: true }).first().waitFor();
  }, 40_000);

  it('that fails says so under its image, and can be written again', async () => {
    const { page, view, allow } = await openLast([{ prompt: 'A door', tier: 'standard' }]);
    allow(/Failed to load resource.*status of 422/);
    studio().gemini.script(geminiFault.noImage('IMAGE_SAFETY'));
    await changeField(view).fill('Open it');
    await page.keyboard.press('Control+Enter');
    await view
      .getByText(/refunded/)
      .first()
      .waitFor();
    await button(view, 'Edit prompt').click();
    expect(await changeField(view).inputValue()).toBe('Open it');
    expect(await changeField(view).evaluate((one) => one === document.activeElement)).toBe(true);
    await button(view, 'Edit prompt').waitFor({ state: 'detached' });
  });
});

describe('another image like this one', () => {
  it('has the same prompt, settings and references, its price on its button, and is charged once', async () => {
    const { page, view, user, made } = await openLast([
      { prompt: 'A pattern', tier: 'standard' },
      ([pattern]) => ({
        prompt: 'A carpet, woven',
        originalPrompt: 'carpet',
        tier: 'premium4',
        aspectRatio: '21:9',
        references: [
          { generationId: pattern?.id ?? '' },
          { mimeType: 'image/png', data: onePixelPng.toString('base64') },
        ],
      }),
    ]);
    await view.getByText('leaves out 1 reference that you uploaded').waitFor();
    await view.getByText('carpet', { exact: true }).waitFor();
    expect(await button(view, 'Show all').count()).toBe(0);
    const box = await button(view, 'Again · 4 credits').boundingBox();
    if (!box) throw new Error('The button has no place');
    await page.mouse.dblclick(box.x + 20, box.y + 20);
    await expect.poll(async () => (await studio().listImages(user)).length).toBe(3);
    expect(await newest(user)).toMatchObject({
      prompt: 'A carpet, woven',
      originalPrompt: 'carpet',
      tier: 'premium4',
      aspectRatio: '21:9',
      resolution: '1K',
      references: [`generation:${made[0]?.id}`],
    });
    await waitForBalance(page, 91);
    await expect.poll(() => strip(view, 'Same prompt').getByRole('button').count()).toBe(2);
  }, 30_000);

  it('is asked for once by a key that is held down', async () => {
    const { page, view, user } = await openLast([{ prompt: 'A drum', tier: 'standard' }]);
    await button(view, 'Again · 1 credit').focus();
    const session = await page.context().newCDPSession(page);
    const press = (autoRepeat: boolean) =>
      session.send('Input.dispatchKeyEvent', {
        type: 'keyDown',
        key: 'Enter',
        code: 'Enter',
        text: '\r',
        windowsVirtualKeyCode: 13,
        autoRepeat,
      });
    await press(false);
    // Longer than the time in which a second click counts as a double click.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
    await press(true);
    await press(true);
    await expect.poll(async () => (await studio().listImages(user)).length).toBe(2);
    await waitForBalance(page, 98);
  });

  it('is not offered once an image that it was made from is deleted', async () => {
    const { view, user, context } = await openLast([
      { prompt: 'A seed', tier: 'standard' },
      ([seed]) => ({
        prompt: 'A tree of it',
        tier: 'standard',
        references: [{ generationId: seed?.id ?? '' }],
      }),
    ]);
    expect(await button(view, 'Again · 1 credit').getAttribute('aria-disabled')).toBe('false');
    const other = await context.newPage();
    await other.goto('/studio');
    await images(other).last().click();
    // The viewer listens once it is loaded.
    await button(other, 'Delete').waitFor();
    await other.keyboard.press('Delete');
    await button(other, 'Delete image').click();
    await view.getByText('so it cannot be made again').waitFor();
    await button(view, 'Again · 1 credit').click({ force: true });
    expect(await studio().listImages(user)).toHaveLength(1);
  }, 30_000);
});

it('"Reuse prompt" fills the composer with prompt, settings and references', async () => {
  const { page, view } = await openLast([
    { prompt: 'A leaf', tier: 'standard' },
    ([leaf]) => ({
      prompt: 'A forest of it',
      tier: 'premium2',
      aspectRatio: '3:4',
      resolution: '4K',
      references: [{ generationId: leaf?.id ?? '' }],
    }),
  ]);
  await button(view, 'Reuse prompt').click();
  await viewer(page).waitFor({ state: 'detached' });
  expect(await promptField(page).inputValue()).toBe('A forest of it');
  await chip(page, 'Shape').getByText('Photo 3:4').waitFor();
  await chip(page, 'Resolution').getByText('4K').waitFor();
  await button(references(page), 'Remove reference 1').waitFor();
  await generateButton(page).getByText('8 credits').waitFor();
}, 30_000);

it('exact ratios and resolutions have their price, for all images together', async () => {
  const user = await studio().newUser({ credits: 100 });
  const { page } = await openWindow();
  await signIn(page, user);
  await openShapes(page);
  await tierChoice(page, 'premium2').check();
  await page.getByRole('group', { name: 'Exact ratio' }).getByRole('radio', { name: '4:3' }).check();
  await orientationChoice(page, 'portrait').check();
  await page.keyboard.press('Escape');
  await chip(page, 'Resolution').click();
  await page.getByRole('radio', { name: /^2K/ }).check();
  await page.keyboard.press('Escape');
  await chip(page, 'How many').click();
  await page.getByRole('radio', { name: '2', exact: true }).check();
  await page.keyboard.press('Escape');
  await promptField(page).fill('A stamp');
  await button(page, 'Create · 8 credits').click();
  await expect.poll(() => images(page).count()).toBe(2);
  await waitForBalance(page, 92);
  for (const { aspectRatio, resolution, credits, image } of await studio().listImages(user)) {
    expect([aspectRatio, resolution, credits]).toEqual(['3:4', '2K', 4]);
    expect((image?.width ?? 0) / (image?.height ?? 1)).toBeCloseTo(3 / 4, 1);
  }
  // Both are a group, which can be stepped through.
  await images(page).first().click();
  const position = () => currentOf(viewer(page), 'Same prompt').getAttribute('aria-label');
  expect(await position()).toBe('Image 2: A stamp');
  await button(strip(viewer(page), 'Same prompt'), 'Image 1: A stamp').click();
  await expect.poll(position).toBe('Image 1: A stamp');
}, 40_000);

describe('what an image is', () => {
  it('its cost, model, resolution and references are shown', async () => {
    const { page, view } = await openLast([
      { prompt: 'A brick', tier: 'standard' },
      ([brick]) => ({
        prompt: 'A wall of it',
        tier: 'premium2',
        resolution: '2K',
        references: [{ generationId: brick?.id ?? '' }],
      }),
    ]);
    const fact = (name: string) =>
      view.locator('dl > div').filter({ hasText: name }).locator('dd').textContent();
    expect(await fact('Cost')).toBe('4 credits');
    expect(await fact('Model')).toBe('gemini-3-pro-image');
    expect(await fact('Resolution')).toMatch(/^2K · /);
    await view.getByRole('button', { name: 'Open image: A brick' }).click();
    await expect.poll(() => fact('Cost')).toBe('1 credit');
    await page.keyboard.press('Escape');
  });

  it('a long prompt shows its first lines, all of it on demand, and uploads are counted', async () => {
    const words = 'A long road through fields and hills. '.repeat(20).trim();
    const upload = { mimeType: 'image/png', data: onePixelPng.toString('base64') } as const;
    const { view } = await openLast([{ prompt: words, tier: 'standard', references: [upload] }]);
    const height = async () => (await view.locator('.prompt-text').boundingBox())?.height ?? 0;
    const short = await height();
    await button(view, 'Show all').click();
    expect(await height()).toBeGreaterThan(short * 1.5);
    await button(view, 'Show less').click();
    expect(await height()).toBe(short);
    // Its references are counted, not listed.
    await view.getByText('1 image that you uploaded, not kept').waitFor();
    expect(await view.locator('.details ul').count()).toBe(0);
  });

  it('an edit of an image that was too large to send says that the model got a smaller version', async () => {
    const large = Buffer.concat([squarePng, Buffer.alloc(3_000_000)]);
    studio().gemini.script(geminiFault.image(large));
    const upload = Buffer.concat([onePixelPng, Buffer.alloc(12_500_000)]).toString('base64');
    const { view } = await openLast([
      { prompt: 'A mural', tier: 'standard' },
      ([mural]) => ({
        prompt: 'Larger',
        tier: 'standard',
        editOf: mural?.id ?? '',
        references: [{ mimeType: 'image/png', data: upload }],
      }),
    ]);
    await view.getByText('The model got a smaller version of one image').waitFor();
  });

  it('a refunded one says why, and has no actions for images', async () => {
    const { page, view, user, allow } = await openLast([{ prompt: 'A lid', tier: 'standard' }]);
    allow(/Failed to load resource.*status of 422/);
    studio().gemini.script(geminiFault.noImage('IMAGE_SAFETY'));
    await changeField(view).fill('Open');
    await button(view, 'Edit · 1 credit').click();
    await button(view, 'Edit prompt').waitFor();
    const refund = (await studio().listEntries(user)).find(({ type }) => type === 'refund');
    await page.evaluate((id) => {
      location.hash = `#/image/${id}`;
    }, refund?.generationId ?? '');
    await view.getByText('Refunded', { exact: true }).waitFor();
    for (const name of ['Download', 'Share', 'Delete', 'Copy image', 'Reuse prompt', 'Zoom in']) {
      expect(await button(view, name).count()).toBe(0);
    }
    expect(await changeField(view).count()).toBe(0);
  });
});

describe('a copy', () => {
  it.each([
    ['PNG', /\.png$/, '89504e47'],
    ['WebP', /\.webp$/, '52494646'],
  ])('is saved as %s', async (format, name, signature) => {
    const { page, view } = await openLast([{ prompt: 'A coin', tier: 'standard' }]);
    await button(view, 'Other formats').click();
    await view.getByRole('button', { name: /^Original JPEG · / }).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), button(view, format).click()]);
    expect(download.suggestedFilename()).toMatch(name);
    expect(readFileSync(await download.path()).toString('hex', 0, 4)).toContain(signature);
  });

  it('is put into the clipboard, as PNG', async () => {
    const { page, view } = await openLast([{ prompt: 'A clip', tier: 'standard' }]);
    await button(view, 'Copy image').click();
    await page.getByText('Image copied.').first().waitFor();
    const types = await page.evaluate(async () =>
      (await navigator.clipboard.read()).flatMap(({ types }) => types),
    );
    expect(types).toContain('image/png');
  });
});

describe('zoom', () => {
  const picture = (view: Locator) => view.locator('.picture');
  const boxOf = async (locator: Locator) => {
    const box = await locator.boundingBox();
    if (!box) throw new Error('It has no place');
    return box;
  };
  const widthOf = async (view: Locator) => (await boxOf(picture(view))).width;

  it('by buttons, keys, wheel and double click; a zoomed image moves inside of its frame', async () => {
    const { page, view, made, last } = await openLast([
      { prompt: 'A near one', tier: 'standard' },
      { prompt: 'A far one', tier: 'standard' },
    ]);
    const whole = await widthOf(view);
    const fit = button(view, 'Fit. The whole image is shown');
    expect(await fit.textContent()).toBe('Fit');
    await button(view, 'Zoom in').click();
    expect(await button(view, '150%. Show the whole image').textContent()).toBe('150%');
    await expect.poll(() => widthOf(view)).toBeCloseTo(whole * 1.5, 0);
    await page.keyboard.press('+');
    await expect.poll(() => widthOf(view)).toBeCloseTo(whole * 2.25, 0);
    const before = await boxOf(picture(view));
    await page.keyboard.press('ArrowRight');
    expect((await boxOf(picture(view))).x).toBeCloseTo(before.x - 80, 0);
    for (let i = 0; i < 20; i += 1) await page.keyboard.press('ArrowRight');
    const [image, frame] = [await boxOf(picture(view)), await boxOf(view.locator('.canvas'))];
    expect(image.x + image.width).toBeCloseTo(frame.x + frame.width, 0);
    expect(new URL(page.url()).hash).toContain(last.id);
    await page.keyboard.press('0');
    await fit.waitFor();
    await expect.poll(() => widthOf(view)).toBeCloseTo(whole, 0);
    await picture(view).hover();
    await page.mouse.wheel(0, -400);
    await expect.poll(() => widthOf(view)).toBeGreaterThan(whole * 1.5);
    await picture(view).dblclick();
    await expect.poll(() => widthOf(view)).toBeCloseTo(whole, 0);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => new URL(page.url()).hash).toContain(made[0]?.id);
  });

  it('by two fingers; one finger swipes to the next image', async () => {
    const { page, view, made } = await openLast(
      [
        { prompt: 'A left one', tier: 'standard' },
        { prompt: 'A right one', tier: 'standard' },
      ],
      { size: { width: 390, height: 844 }, touch: true },
    );
    const session = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
      session.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: points.map(([x, y], id) => ({ x, y, id })),
      });
    const whole = await widthOf(view);
    await touch('touchStart', [150, 250], [250, 250]);
    await touch('touchMove', [100, 250], [300, 250]);
    await touch('touchEnd');
    await expect.poll(() => widthOf(view)).toBeCloseTo(whole * 2, 0);
    await button(view, '200%. Show the whole image').tap();
    await touch('touchStart', [300, 250]);
    for (const x of [250, 200, 150]) await touch('touchMove', [x, 252]);
    await touch('touchEnd');
    await expect.poll(() => new URL(page.url()).hash).toContain(made[0]?.id);
  });
});
