/** How the page lies in its window. */
import type { Page } from 'playwright-core';

/** What reaches beyond the right edge of the window, so that the page scrolls sideways; nothing where all fits. */
export function findOverflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.querySelectorAll('body *')].filter(
      (element) => element.getBoundingClientRect().right > width + 1,
    );
    return [
      'The page scrolls sideways',
      ...wide.slice(0, 10).map((element) => element.outerHTML.slice(0, 160)),
    ];
  });
}

/** Buttons and links whose text does not fit them. */
export function findClippedText(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, nav a, [data-testid=balance]')]
      .filter(({ offsetParent }) => offsetParent !== null)
      .filter((element) => {
        const { overflowX } = getComputedStyle(element);
        const isWider = element.scrollWidth > element.clientWidth + 1;
        return isWider && overflowX !== 'visible' && getComputedStyle(element).display !== 'inline';
      })
      .map((element) => element.outerHTML.slice(0, 160)),
  );
}

/** All layout shifts since the page was opened that no input of the user explains, as Core Web Vitals add them. */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        const add = (entries: PerformanceEntryList) => {
          for (const entry of entries as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
            if (!entry.hadRecentInput) sum += entry.value;
          }
        };
        const observer = new PerformanceObserver((list) => add(list.getEntries()));
        observer.observe({ type: 'layout-shift', buffered: true });
        // What is buffered is handed over after the next frame.
        requestAnimationFrame(() =>
          setTimeout(() => {
            add(observer.takeRecords());
            observer.disconnect();
            resolve(sum);
          }),
        );
      }),
  );
}
