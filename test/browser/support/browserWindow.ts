/** A browser window of a test's own, which takes down whatever goes wrong in it. */
import type { Browser, BrowserContext, Page } from 'playwright-core';

export const phone = { width: 390, height: 844 };
export const desktop = { width: 1280, height: 800 };
/** The narrowest window that content must fit (WCAG 2.2, 1.4.10). */
export const narrow = { width: 320, height: 640 };

export type Look = {
  size?: { width: number; height: number };
  /** As on a phone: touch, and the phone's own way with the width of the page. */
  touch?: boolean;
  colorScheme?: 'light' | 'dark';
  reducedMotion?: 'reduce' | 'no-preference';
  /** Pixels of the screen for one of the page. */
  scale?: number;
};

export type BrowserWindow = {
  context: BrowserContext;
  page: Page;
  /** Names a trouble that the test brings about itself, such as the browser's line about a refused request. */
  allow: (...problems: RegExp[]) => void;
  /** Errors and warnings of every page, broken policies, calls of foreign hosts; without the allowed ones. */
  unexpectedProblems: () => string[];
};

/** How long a step may take before its test fails, milliseconds: far more than it does. */
const stepMsMax = 15_000;

/** Opens the studio in a window with nothing kept from before. @param hosts what the page may talk to */
export async function openBrowserWindow(
  browser: Browser,
  { url, hosts }: { url: string; hosts: readonly string[] },
  { size = desktop, touch = false, scale = 1, ...look }: Look = {},
): Promise<BrowserWindow> {
  const context = await browser.newContext({
    ...look,
    baseURL: url,
    viewport: size,
    deviceScaleFactor: scale,
    isMobile: touch,
    hasTouch: touch,
    locale: 'en-US',
    timezoneId: 'UTC',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(stepMsMax);
  const problems = await recordProblems(context, hosts);
  const allowed: RegExp[] = [];
  const page = await context.newPage();
  await page.goto('/studio');
  return {
    context,
    page,
    allow: (...more) => void allowed.push(...more),
    unexpectedProblems: () =>
      problems.filter((unexpectedProblems) => !allowed.some((pattern) => pattern.test(unexpectedProblems))),
  };
}

async function recordProblems(context: BrowserContext, hosts: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  context.on('console', (message) => {
    const type = message.type();
    if (type === 'error' || type === 'warning') {
      problems.push(`console ${type}: ${message.text()} (${message.location().url})`);
    }
  });
  context.on('weberror', (error) => problems.push(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && !hosts.includes(host)) problems.push(`foreign host: ${request.url()}`);
  });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      reportError(new Error(`The policy forbids ${blockedURI} (${violatedDirective})`));
    });
  });
  return problems;
}
