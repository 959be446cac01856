/** What every file of browser tests begins with: one studio and one browser, and a window for each test. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { startMsMax } from '../../local/support.ts';
import { launchBrowser } from './browser.ts';
import { type BrowserWindow, type Look, openBrowserWindow } from './browserWindow.ts';
import { saveArtifacts } from './failureArtifacts.ts';
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
    async openWindow(look?: Look, url = studio.url): Promise<BrowserWindow> {
      const hosts = [new URL(url).host, ...studio.hosts];
      const openWindow = await openBrowserWindow(browser, { url, hosts }, look);
      onTestFinished(async ({ task }) => {
        const problems = openWindow.unexpectedProblems();
        if (task.result?.state === 'fail' || problems.length > 0) await saveArtifacts(openWindow, task.name);
        await openWindow.context.close();
        expect(problems, 'what went wrong in the browser').toEqual([]);
      });
      return openWindow;
    },
  };
}
