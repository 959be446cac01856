/** What a user of the page can press or fill, as the page shows it. */
import type { BrowserContext, Page } from 'playwright-core';

/** A button, link or field that is visible and not covered. `x` and `y` are its middle in the window. */
export type Control = { kind: 'press' | 'text' | 'choice'; name: string; x: number; y: number };

export type View = {
  /** Where the browser is: the studio signed in or out, nothing yet, or another page. */
  place: 'studio' | 'signIn' | 'opening' | 'elsewhere';
  controls: Control[];
  /** Undefined until the page knows it. */
  balance: number | undefined;
};

type WishWindow = typeof globalThis & { takeWishes: () => number };

/** Counts in each page the images that its user asks for: an action asks once, however often it clicks. */
export const countWishes = (context: BrowserContext) =>
  context.addInitScript(() => {
    let wishes = 0;
    const nameOf = (element: Element) =>
      element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '';
    const isOff = (element: Element) =>
      (element as HTMLButtonElement).disabled || element.getAttribute('aria-disabled') === 'true';
    const wishesOf = (pressed: Element | null | undefined) => {
      if (!pressed || isOff(pressed) || pressed.closest('.sign-in')) return 0;
      const name = nameOf(pressed);
      if (!/^(Create|Vary|Again|Try again|Make [^p]|Edit(?! prompt))/.test(name)) return 0;
      if (name.startsWith('Try again') && !pressed.closest('.failure')) return 0;
      if (!pressed.closest('.composer')) return 1;
      const names = [...document.querySelectorAll('.composer button')].map(nameOf);
      return Number(names.map((one) => /^How many: (\d)/.exec(one)?.[1]).find(Boolean) ?? 1);
    };
    addEventListener(
      'click',
      ({ target }) => {
        wishes = Math.max(wishes, wishesOf((target as Element).closest('button')));
      },
      true,
    );
    addEventListener(
      'keydown',
      ({ target, key, ctrlKey }) => {
        if (key !== 'Enter' || !ctrlKey) return;
        wishes = Math.max(
          wishes,
          wishesOf((target as Element).closest('form')?.querySelector('[type=submit]')),
        );
      },
      true,
    );
    (globalThis as WishWindow).takeWishes = () => {
      const taken = wishes;
      wishes = 0;
      return taken;
    };
  });

/** The images that the action asked for. None after it if it left the page. */
export const takeWishes = (page: Page): Promise<number> =>
  page.evaluate(() => (globalThis as Partial<WishWindow>).takeWishes?.() ?? 0).catch(() => 0);

/** What the user pressed to buy: a pack in the studio, or a way to pay at Stripe. */
export type PurchasePress = 'pack' | 'payment';

/** Reports each such press as it happens, through the page's console, because the page may be left at once. */
export async function watchPurchases(
  context: BrowserContext,
  onPress: (pressed: PurchasePress) => void,
): Promise<void> {
  context.on('console', (message) => {
    const pressed = /^pressed (pack|payment)$/.exec(message.text())?.[1];
    if (pressed) onPress(pressed as PurchasePress);
  });
  await context.addInitScript(() => {
    // biome-ignore lint/suspicious/noConsole: the test reads it
    const report = (pressed: PurchasePress) => console.debug(`pressed ${pressed}`);
    // Keys that press a button make a click as well.
    addEventListener(
      'click',
      ({ target, isTrusted }) => {
        const button = (target as Element).closest<HTMLButtonElement>('button');
        if (!button || !isTrusted) return;
        if (button.closest('.packs')) report('pack');
        if (button.name === 'outcome' && /^(pay|later)$/.test(button.value)) report('payment');
      },
      true,
    );
  });
}

/** Reads the page once. */
export const readView = (page: Page): Promise<View> =>
  page.evaluate(() => {
    const selector = 'button, a[href], textarea, input, summary';
    const nameOf = (element: Element) => {
      const label = (element as HTMLInputElement).labels?.[0]?.textContent;
      const name = element.getAttribute('aria-label') ?? label ?? element.textContent ?? '';
      return name.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
    };
    const kindOf = (element: Element) => {
      if (element instanceof HTMLTextAreaElement) return 'text';
      if (!(element instanceof HTMLInputElement)) return 'press';
      return /^(text|search|email|password)$/.test(element.type) ? 'text' : 'choice';
    };
    const isOff = (element: Element) =>
      (element as HTMLButtonElement).disabled || element.getAttribute('aria-disabled') === 'true';
    const controls = [...document.querySelectorAll(selector)].flatMap((element) => {
      const box = element.getBoundingClientRect();
      const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
      const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
      if (isOff(element) || right - left < 3 || bottom - top < 3) return [];
      const x = (left + right) / 2;
      // A dialog that scrolls may cut it off.
      const y = [(top + bottom) / 2, top + 2, bottom - 2].find((one) => {
        const hit = document.elementFromPoint(x, one);
        return hit && (element.contains(hit) || hit.closest('label')?.contains(element));
      });
      if (y === undefined) return [];
      return [{ kind: kindOf(element), name: nameOf(element), x, y } as const];
    });
    const placeOf = () => {
      if (!location.pathname.startsWith('/studio')) return 'elsewhere';
      if (document.querySelector('.composer')) return 'studio';
      return document.querySelector('input[type=password]') ? 'signIn' : 'opening';
    };
    const shown = /[\d,]+/.exec(document.querySelector('[data-testid=balance]')?.textContent ?? '')?.[0];
    return { place: placeOf(), controls, balance: shown && Number(shown.replaceAll(',', '')) };
  }) as Promise<View>;
