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

/**
 * Texts that another element covers, measured by rectangles: what lies at the middle and the ends of each line of text.
 * Text of the page may scroll under the header and the composer, and stands behind an open panel or dialog.
 */
export function findCoveredText(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // The tools of the gallery lie over the images, and under everything else. The account menu lies over the composer.
    const rankOf = (element: Element) => {
      if (element.closest('.top .popover')) return 3;
      if (element.closest('dialog, .popover, .composer, .top, .announcer')) return 2;
      return element.closest('.gallery-tools') ? 1 : 0;
    };
    // Dialogs may lie on each other: the uppermost, or what is behind it, is at the corner.
    const open = document.elementFromPoint(1, 1)?.closest('dialog[open]');
    // Marks and messages let clicks through, so that the window would not find them.
    const marks = [...document.querySelectorAll<HTMLElement>('.ai, .announcer')];
    for (const mark of marks) mark.style.pointerEvents = 'auto';

    /** The part of the rectangle that no ancestor cuts off. */
    function clip(rectangle: DOMRect, element: Element) {
      let { left, top, right, bottom } = rectangle;
      for (let one: Element | null = element; one; one = one.parentElement) {
        if (getComputedStyle(one).overflow === 'visible') continue;
        const box = one.getBoundingClientRect();
        left = Math.max(left, box.left);
        top = Math.max(top, box.top);
        right = Math.min(right, box.right);
        bottom = Math.min(bottom, box.bottom);
      }
      return {
        left: Math.max(left, 0),
        top: Math.max(top, 0),
        right: Math.min(right, innerWidth),
        bottom: Math.min(bottom, innerHeight),
      };
    }

    function findCover(rectangle: DOMRect, element: Element): Element | undefined {
      const { left, top, right, bottom } = clip(rectangle, element);
      if (right - left < 2 || bottom - top < 2) return undefined;
      const y = (top + bottom) / 2;
      for (const x of [left + 1, (left + right) / 2, right - 1]) {
        const hit = document.elementFromPoint(x, y);
        if (!hit || hit.contains(element) || element.contains(hit)) continue;
        // A radio button lies unseen over its label.
        if (getComputedStyle(hit).opacity === '0') continue;
        // A message passes, and the link past the header is there only while it has the focus.
        if (hit.closest('.announcer, .skip')) continue;
        const isUnder = rankOf(element) < rankOf(hit);
        if (!isUnder) return hit;
      }
      return undefined;
    }

    const covered: string[] = [];
    const texts = document.createTreeWalker(open ?? document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { data, parentElement: element } = texts.currentNode as Text;
      if (data.trim() === '' || !element) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (element.closest('.visually-hidden, .skip, option')) continue;
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      for (const rectangle of range.getClientRects()) {
        const cover = findCover(rectangle, element);
        if (cover) covered.push(`“${data.trim().slice(0, 60)}” is under ${cover.outerHTML.slice(0, 120)}`);
      }
    }
    for (const mark of marks) mark.style.pointerEvents = '';
    return covered;
  });
}
