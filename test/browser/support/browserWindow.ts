/** A separate browser window for a test. It records everything that goes wrong in it. */
import type { Browser, BrowserContext, Page } from 'playwright-core';

export const phone = { width: 390, height: 844 };
export const desktop = { width: 1280, height: 800 };
/** The narrowest window that content must fit (WCAG 2.2, 1.4.10). */
export const narrow = { width: 320, height: 640 };

export type Look = {
  size?: { width: number; height: number };
  /** Emulates a phone: touch input and the mobile viewport. */
  touch?: boolean;
  colorScheme?: 'light' | 'dark';
  reducedMotion?: 'reduce' | 'no-preference';
  /** Device pixels per CSS pixel. */
  scale?: number;
};

export type BrowserWindow = {
  context: BrowserContext;
  page: Page;
  /** Accepts problems that the test causes on purpose, such as the console line about a failed request. */
  allow: (...problems: RegExp[]) => void;
  /** Console errors and warnings, uncaught errors, CSP violations and requests to other hosts; without the allowed ones. */
  unexpectedProblems: () => string[];
};

/** Limit for one step of a test, in milliseconds; far more than any step needs. */
const stepMsMax = 15_000;

/** Opens the studio in a new browser context, without any stored data. @param hosts that the page may contact */
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
    unexpectedProblems: () => problems.filter((problem) => !allowed.some((pattern) => pattern.test(problem))),
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
