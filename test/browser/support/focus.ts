/** Where the keyboard is on the page. */
import type { Locator, Page } from 'playwright-core';

/** More than any way through the page takes. */
const stepsMax = 80;

/**
 * Goes on with the Tab key until the element has the focus.
 * @throws when it is not reached, or when the focus cannot be seen somewhere on the way.
 */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let step = 0; step < stepsMax; step += 1) {
    if (await hasFocus(target)) return;
    await page.keyboard.press('Tab');
    await assertFocusIsVisible(page);
  }
  throw new Error(`${target} cannot be reached with the Tab key`);
}

export const hasFocus = (target: Locator) =>
  target.evaluate((element) => element === element.ownerDocument.activeElement);

/** Whether some element has the focus: it is lost when what had it is gone and nothing else was given it. */
export const hasFocusedElement = (page: Page) =>
  page.evaluate(() => document.activeElement !== null && document.activeElement !== document.body);

/** @throws when the element with the focus is not marked, on itself or on the label around it. */
async function assertFocusIsVisible(page: Page): Promise<void> {
  const unmarked = await page.evaluate(() => {
    const focused = document.activeElement;
    // Between the last element and the first one the browser's own controls have their turn.
    if (!focused || focused === document.body) return undefined;
    const isMarked = (element: Element | null | undefined) => {
      if (!element) return false;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
    };
    const around = focused.closest('label');
    const beside = focused.nextElementSibling;
    return [focused, around, beside].some(isMarked) ? undefined : focused.outerHTML.slice(0, 200);
  });
  if (unmarked) throw new Error(`The focus cannot be seen on ${unmarked}`);
}
