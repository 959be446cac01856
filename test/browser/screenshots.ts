/**
 * Takes the screenshots of docs/guides/studio.md: `npm run screenshots`. It runs the real page on a local run with
 * the Gemini fake.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import type { GenerateInput } from '../../shared/contract.ts';
import { launchBrowser } from './support/browser.ts';
import { desktop, type Look, openBrowserWindow, phone } from './support/browserWindow.ts';
import {
  button,
  fillForm,
  gallery,
  goTo,
  images,
  openImage,
  pendingCard,
  promptField,
  submitPrompt,
} from './support/steps.ts';
import { type Studio, startStudio } from './support/studio.ts';

const folder = resolve('docs/guides/studio');
const bytesMax = 400_000;

const onDesktop: Look = { size: desktop, colorScheme: 'light' };
const onDarkDesktop: Look = { size: desktop, colorScheme: 'dark' };
const onPhone: Look = { size: phone, touch: true, colorScheme: 'light' };
const onDarkPhone: Look = { ...onPhone, colorScheme: 'dark' };

/** Oldest first. */
const sampleRequests: GenerateInput[] = [
  { prompt: 'A lighthouse in a storm, oil on canvas', tier: 'standard' },
  { prompt: 'Isometric cutaway of a tiny ramen shop at night', tier: 'premium2' },
  { prompt: 'A botanical plate of an imaginary orchid', tier: 'standard' },
  { prompt: 'An astronaut tending a vegetable garden on Mars', tier: 'premium4' },
  { prompt: 'Low-poly mountains at dawn, mist in the valleys', tier: 'premium4' },
  { prompt: 'A fox asleep in autumn leaves, watercolour', tier: 'standard' },
  { prompt: 'Art deco poster of a night train through the Alps', tier: 'premium2', orientation: 'portrait' },
  { prompt: 'Macro photograph of a soap bubble about to burst', tier: 'standard' },
  { prompt: 'A library inside a whale, pencil drawing', tier: 'premium2' },
  { prompt: 'A banana in a space suit, reading the newspaper on the moon', tier: 'premium4' },
];
const latest = sampleRequests.at(-1)?.prompt ?? '';

type Scene = { studio: Studio; page: Page };
type Screenshot = {
  name: string;
  look: Look;
  /** True by default. */
  isSignedIn?: boolean;
  prepare: (scene: Scene) => Promise<unknown>;
};

const waitForSignIn = ({ page }: Scene) => button(page, 'Sign in').waitFor();

const fillExampleForm = ({ page }: Scene) =>
  fillForm(page, {
    prompt: 'A hot-air balloon made of folded newspaper, over Lisbon',
    tier: 'premium4',
  });

async function improve({ page }: Scene): Promise<void> {
  await promptField(page).fill('A hot-air balloon over Lisbon');
  await button(page, 'Improve prompt').click();
  await button(page, 'Use this prompt').waitFor();
}

async function startGeneration({ studio, page }: Scene): Promise<void> {
  const hold = studio.pauseNextImage();
  const prompt = 'A clockwork hummingbird at a glass flower';
  await submitPrompt(page, { prompt, tier: 'premium4' });
  await hold.reached;
  await pendingCard(page, prompt).getByText('0:02').waitFor();
}

async function startGenerationInView(scene: Scene): Promise<void> {
  await startGeneration(scene);
  await scene.page.getByRole('article').first().scrollIntoViewIfNeeded();
}

async function failGeneration({ studio, page }: Scene): Promise<void> {
  studio.gemini.script(geminiFault.noImage('IMAGE_SAFETY'));
  await submitPrompt(page, { prompt: 'The secret recipe, in neon', tier: 'premium4' });
  await button(page, 'Edit prompt').waitFor();
}

const openLatest = ({ page }: Scene) => openImage(page, latest);

const scrollToImages = ({ page }: Scene) => gallery(page).evaluate((region) => region.scrollIntoView());

async function openCredits({ page }: Scene): Promise<void> {
  await goTo(page, 'Credits');
  await page.getByRole('table').waitFor();
}

async function openPacks({ page }: Scene): Promise<void> {
  await goTo(page, 'Credits');
  await button(page, 'Buy credits').click();
  await page.getByRole('button', { name: /^100 credits/ }).waitFor();
}

async function askToDelete({ page }: Scene): Promise<void> {
  await openImage(page, latest);
  await page.keyboard.press('Delete');
  await button(page, 'Keep it').waitFor();
}

// All share one account: images generated for one screenshot are visible in the later ones.
const screenshots: Screenshot[] = [
  { name: 'sign-in', look: onDesktop, isSignedIn: false, prepare: waitForSignIn },
  { name: 'sign-in-phone', look: onPhone, isSignedIn: false, prepare: waitForSignIn },
  { name: 'create', look: onDesktop, prepare: fillExampleForm },
  { name: 'create-dark', look: onDarkDesktop, prepare: fillExampleForm },
  { name: 'create-phone', look: onPhone, prepare: fillExampleForm },
  { name: 'better-prompt', look: onDesktop, prepare: improve },
  { name: 'image', look: onDesktop, prepare: openLatest },
  { name: 'image-dark', look: onDarkDesktop, prepare: openLatest },
  { name: 'image-phone', look: onPhone, prepare: openLatest },
  { name: 'gallery-phone', look: onPhone, prepare: scrollToImages },
  { name: 'delete', look: onDesktop, prepare: askToDelete },
  { name: 'failure', look: onDesktop, prepare: failGeneration },
  { name: 'credits', look: onDesktop, prepare: openCredits },
  { name: 'credits-phone', look: onPhone, prepare: openCredits },
  { name: 'buy', look: onDesktop, prepare: openPacks },
  { name: 'generating', look: onDesktop, prepare: startGeneration },
  { name: 'generating-phone', look: onDarkPhone, prepare: startGenerationInView },
];

/** Waits until all fonts, and all images inside the window, are loaded. */
async function waitForImages(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.images]
      .filter((image) => image.getBoundingClientRect().top < innerHeight)
      .every(({ complete, naturalWidth }) => complete && naturalWidth > 0),
  );
  await page.evaluate(() => document.fonts.ready);
}

async function takeScreenshot(studio: Studio, browser: Browser, screenshot: Screenshot): Promise<void> {
  const { name, look, isSignedIn = true, prepare } = screenshot;
  // Animations would make the screenshots differ from run to run.
  const { page, context } = await openBrowserWindow(browser, studio, { ...look, reducedMotion: 'reduce' });
  if (isSignedIn) {
    await button(page, 'Continue as the demo user').click();
    await images(page).first().waitFor();
  }
  await prepare({ studio, page });
  await waitForImages(page);
  const path = join(folder, `${name}.jpg`);
  await page.screenshot({ path, type: 'jpeg', quality: 75 });
  await context.close();
  const { size } = statSync(path);
  if (size > bytesMax) throw new Error(`${name} has ${size} bytes, more than ${bytesMax}`);
  process.stdout.write(`${name}.jpg: ${Math.round(size / 1000)} kB\n`);
}

const env = { RETRY_ATTEMPTS: '1', IMAGEGEN_FALLBACK_MODEL_IDS: '' };
const studio = await startStudio(env, { drawsScenes: true });
const browser = await launchBrowser();
try {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const request of sampleRequests) await studio.generateFor(studio.demoUser, request);
  for (const screenshot of screenshots) await takeScreenshot(studio, browser, screenshot);
} finally {
  await browser.close();
  await studio.end();
}
