/** Steps of a user on the page. Elements are found by role and name, as users and screen readers find them. */
import type { Locator, Page } from 'playwright-core';
import type { Orientation, Tier } from '../../../shared/contract.ts';
import type { User } from './accounts.ts';

/** The names of the shapes. A wide one is tall in portrait. */
export const tierNames: Record<Tier, RegExp> = {
  standard: /^Square 1:1/,
  premium2: /^Photo (3:2|2:3)/,
  premium4: /^(Wide 16:9|Tall 9:16)/,
};

// Elements.

export const button = (within: Page | Locator, name: string) =>
  within.getByRole('button', { name, exact: true });
export const balance = (page: Page) => page.getByTestId('balance');
export const promptField = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true });
export const generateButton = (page: Page) => page.getByRole('button', { name: /^Create · \d+ credits?$/ });
/** The chip of a setting, which opens its choices. */
export const chip = (page: Page, name: 'Shape' | 'Resolution' | 'How many' | 'Style') =>
  page.getByRole('group', { name: 'Settings' }).getByRole('button', { name: new RegExp(`^${name}: `) });
export const tierChoice = (page: Page, tier: Tier) =>
  page.getByRole('group', { name: 'Shape' }).getByRole('radio', { name: tierNames[tier] });
export const orientationChoice = (page: Page, orientation: Orientation) =>
  page
    .getByRole('group', { name: 'Orientation' })
    .getByRole('radio', { name: orientation === 'portrait' ? 'Portrait' : 'Landscape' });
export const references = (page: Page) => page.getByRole('group', { name: 'References' });
/** The tile of a generation that is running, or the card of one that failed. */
export const pendingCard = (page: Page, prompt: string) =>
  page.getByRole('article', { name: prompt, exact: true });
export const gallery = (page: Page) => page.getByRole('region', { name: 'Your images' });
export const images = (page: Page) => gallery(page).getByRole('link', { name: /^Open image: / });
export const imageWithPrompt = (page: Page, prompt: string) =>
  gallery(page).getByRole('link', { name: `Open image: ${prompt}`, exact: true });
export const dialog = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true });
export const viewer = (page: Page) => dialog(page, 'Image');
export const accountMenu = (page: Page) => button(page.getByRole('banner'), 'Account');

// Actions.

/** Signs in with e-mail and password, and waits until the prices are loaded: from then on the form works. */
export async function signIn(page: Page, { email, password }: Pick<User, 'email' | 'password'>) {
  await tryToSignIn(page, email, password);
  await generateButton(page).waitFor();
}

export async function tryToSignIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'E-mail', exact: true }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await button(page, 'Sign in').click();
}

export async function signOut(page: Page): Promise<void> {
  await accountMenu(page).click();
  await button(page, 'Sign out').click();
}

/** Waits until the page shows exactly this balance. */
export async function waitForBalance(page: Page, credits: number): Promise<void> {
  const text = new RegExp(`(?<![\\d,.])${credits} credits?(?!\\w)`);
  await balance(page).filter({ hasText: text }).waitFor();
}

export type ImageRequest = { prompt: string; tier?: Tier; orientation?: Orientation };

/** Opens the choices of shapes, and leaves them open. */
export async function openShapes(page: Page): Promise<void> {
  await chip(page, 'Shape').click();
  await page.getByRole('group', { name: 'Shape' }).waitFor();
}

async function chooseShape(page: Page, tier?: Tier, orientation?: Orientation): Promise<void> {
  await openShapes(page);
  if (tier) await tierChoice(page, tier).check();
  if (orientation) await orientationChoice(page, orientation).check();
  await page.keyboard.press('Escape');
}

/** Fills the form without submitting it. */
export async function fillForm(page: Page, { prompt, tier, orientation }: ImageRequest): Promise<void> {
  await promptField(page).fill(prompt);
  if (tier || orientation) await chooseShape(page, tier, orientation);
}

/** Fills and submits the form. Does not wait for the image. */
export async function submitPrompt(page: Page, imageRequest: ImageRequest): Promise<void> {
  await fillForm(page, imageRequest);
  await generateButton(page).click();
}

/** Submits the form and waits until the image is in the gallery. */
export async function generateImage(page: Page, imageRequest: ImageRequest): Promise<void> {
  await submitPrompt(page, imageRequest);
  await imageWithPrompt(page, imageRequest.prompt).waitFor();
}

/** Opens an image of the gallery in the viewer. */
export async function openImage(page: Page, prompt: string): Promise<Locator> {
  await imageWithPrompt(page, prompt).click();
  await viewer(page).waitFor();
  return viewer(page);
}

/** Opens a view from the main navigation. */
export async function goTo(page: Page, name: 'Create' | 'Credits'): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
}

/** Waits until the image is decoded, and returns its natural size. */
export async function getPixelSize(image: Locator): Promise<{ width: number; height: number }> {
  await image.waitFor();
  return image.evaluate(async (element) => {
    const img = element as HTMLImageElement;
    await img.decode();
    return { width: img.naturalWidth, height: img.naturalHeight };
  });
}
