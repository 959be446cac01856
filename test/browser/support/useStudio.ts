/** Setup of every browser test file: one studio and one browser for the file, one window for each test. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { startMsMax } from '../../local/support.ts';
import { launchBrowser } from './browser.ts';
import { type BrowserWindow, type Look, openBrowserWindow } from './browserWindow.ts';
import { saveArtifacts } from './failureArtifacts.ts';
import { type Studio, startStudio } from './studio.ts';

/** @param env additional environment variables for the local run */
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
     * Opens the studio in a new window. The test fails if a problem occurs in it that it did not allow.
     * @param url the address of a proxy to the studio
     */
    async openWindow(look?: Look, url = studio.url): Promise<BrowserWindow> {
      const hosts = [new URL(url).host, ...studio.hosts];
      const window = await openBrowserWindow(browser, { url, hosts }, look);
      onTestFinished(async ({ task }) => {
        const problems = window.unexpectedProblems();
        if (task.result?.state === 'fail' || problems.length > 0) await saveArtifacts(window, task.name);
        await window.context.close();
        expect(problems, 'problems in the browser').toEqual([]);
      });
      return window;
    },
  };
}
