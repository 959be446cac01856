/** Steps in the viewer. */
import type { Locator, Page } from 'playwright-core';
import type { GenerateInput, Generation } from '../../../shared/contract.ts';
import type { Look } from './browserWindow.ts';
import { images, signIn, viewer } from './steps.ts';
import type { useStudio } from './useStudio.ts';

type StripName = 'Versions' | 'Same prompt';

export const changeField = (view: Locator) => view.getByRole('textbox', { name: 'Change this image' });
export const strip = (view: Locator, name: StripName) => view.getByRole('region', { name });
export const currentOf = (view: Locator, name: StripName) => strip(view, name).locator('[aria-current]');
/** A message that can be seen. */
export const message = (within: Page | Locator, words: string) =>
  within.getByRole('status').locator('p:not(.visually-hidden)').filter({ hasText: words });

export const goToImage = (page: Page, { id }: Pick<Generation, 'id'>) =>
  page.evaluate((one) => {
    location.hash = `#/image/${one}`;
  }, id);

export const createOpenLast = ({ studio, openWindow }: ReturnType<typeof useStudio>) =>
  /** Makes the images without the page, and opens the last one. The user has 100 credits less what they cost. */
  async function openLast(
    requests: (GenerateInput | ((earlier: Generation[]) => GenerateInput))[],
    look: Look = {},
  ) {
    const user = await studio().newUser({ credits: 100 });
    const made: Generation[] = [];
    for (const request of requests) {
      made.push(await studio().generateFor(user, typeof request === 'function' ? request(made) : request));
    }
    const browserWindow = await openWindow({ reducedMotion: 'reduce', ...look });
    const { page } = browserWindow;
    await signIn(page, user);
    await images(page).first().waitFor();
    const last = made.at(-1);
    if (!last) throw new Error('No image was asked for');
    await goToImage(page, last);
    await viewer(page)
      .getByText(last.prompt ?? '', { exact: true })
      .first()
      .waitFor();
    return { ...browserWindow, user, made, last, view: viewer(page) };
  };
