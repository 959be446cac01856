/** What every file of browser tests begins with: one studio and one browser, and a window for each test. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { startMsMax } from '../../local/support.ts';
import { launchBrowser } from './browser.ts';
import { type Look, openVisit, type Visit } from './browserWindow.ts';
import { keepPicture } from './failureArtifacts.ts';
import { type Studio, startStudio } from './studio.ts';

/** @param env more of the run's environment */
export function useStudio(env?: Record<string, string>) {
  let studio: Studio;
  let browser: Browser;
  beforeAll(async () => {
    [studio, browser] = await Promise.all([startStudio(env), launchBrowser()]);
  }, startMsMax);
  afterAll(async () => {
    await browser?.close();
    await studio?.end();
  }, startMsMax);

  return {
    studio: () => studio,

    /**
     * A window on the studio for the running test, which fails if anything in it went wrong unallowed.
     * @param url another address of the studio than its own
     */
    async visit(look?: Look, url = studio.url): Promise<Visit> {
      const hosts = [new URL(url).host, ...studio.hosts];
      const visit = await openVisit(browser, { url, hosts }, look);
      onTestFinished(async ({ task }) => {
        const troubles = visit.trouble();
        if (task.result?.state === 'fail' || troubles.length > 0) await keepPicture(visit, task.name);
        await visit.context.close();
        expect(troubles, 'what went wrong in the browser').toEqual([]);
      });
      return visit;
    },
  };
}
