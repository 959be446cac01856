/** Checks of the page's layout in its window. */
import type { Page } from 'playwright-core';

/** Elements beyond the right edge of the window, if they make the page scroll horizontally. */
export function findOverflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.querySelectorAll('body *')].filter(
      (element) => element.getBoundingClientRect().right > width + 1,
    );
    return [
      'The page scrolls horizontally',
      ...wide.slice(0, 10).map((element) => element.outerHTML.slice(0, 160)),
    ];
  });
}

/** Buttons and links that clip their text. */
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

/** The sum of all layout shifts without recent user input since the page opened; see Core Web Vitals. */
export function measureLayoutShift(page: Page): Promise<number> {
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
        // Buffered entries arrive after the next frame.
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
