/** A random user of the page: a short run of `npm run test:page-histories`. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startMsMax } from '../local/support.ts';
import { runHistory } from './histories/history.ts';
import { startHistoriesStudio } from './histories/studio.ts';
import { launchBrowser } from './support/browser.ts';
import type { Studio } from './support/studio.ts';

let studio: Studio;
let browser: Browser;
beforeAll(async () => {
  [studio, browser] = await Promise.all([startHistoriesStudio(), launchBrowser()]);
}, startMsMax);
afterAll(async () => {
  await browser?.close();
  await studio?.end();
}, startMsMax);

/** One for each size of the window. */
it.each([101, 102, 103, 104])(
  'finds nothing wrong: seed %i',
  async (seed) => {
    const { problem, steps } = await runHistory({ studio, browser }, seed, 100);
    expect(problem ? `${problem.trace.join('\n')}\n${problem.message}` : '').toBe('');
    expect(steps).toBe(100);
  },
  180_000,
);
