/** Keyboard focus on the page. */
import type { Locator, Page } from 'playwright-core';

/** More Tab presses than any path through the page needs. */
const stepsMax = 80;

/**
 * Presses Tab until the element has the focus.
 * @throws if it is not reached, or if the focus is invisible on the way
 */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let step = 0; step < stepsMax; step += 1) {
    if (await hasFocus(target)) return;
    await page.keyboard.press('Tab');
    await assertFocusIsVisible(page);
  }
  throw new Error(`The Tab key does not reach ${target}`);
}

export const hasFocus = (target: Locator) =>
  target.evaluate((element) => element === element.ownerDocument.activeElement);

/** False if the focus is lost: its element was removed, and no other element got it. */
export const hasFocusedElement = (page: Page) =>
  page.evaluate(() => document.activeElement !== null && document.activeElement !== document.body);

/** @throws if neither the focused element, nor its label, nor the element after it, nor its composer shows a focus indicator */
async function assertFocusIsVisible(page: Page): Promise<void> {
  const unmarked = await page.evaluate(() => {
    const focused = document.activeElement;
    // After the last element the focus moves to the browser's own controls.
    if (!focused || focused === document.body) return undefined;
    const hasIndicator = (element: Element | null | undefined) => {
      if (!element) return false;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
    };
    const label = focused.closest('label');
    const sibling = focused.nextElementSibling;
    // The composer shows the focus of its prompt around itself.
    return [focused, label, sibling, focused.closest('form.composer')].some(hasIndicator)
      ? undefined
      : focused.outerHTML.slice(0, 200);
  });
  if (unmarked) throw new Error(`The focus is invisible on ${unmarked}`);
}
