/** Lists that are fetched page by page. */
import { byId } from './dom.ts';

export type PagedList = {
  /** Fetches the first page again, and shows it in place of what was shown. */
  restart: () => Promise<void>;
  /** Puts a new item first; in place of itself where it is listed already. */
  prepend: (item: HTMLElement) => void;
  remove: (item: HTMLElement) => void;
};

/**
 * The list `#{name}-list` with its button `#{name}-more` and its line `#{name}-status`.
 * @param page fetches one page and makes its items, each with an id. @param problem words what it throws.
 */
export function pagedList(options: {
  name: string;
  page: (pageToken?: string) => Promise<{ items: HTMLElement[]; nextPageToken?: string | undefined }>;
  emptyText: string;
  problem: (error: unknown) => string;
}): PagedList {
  const { name, page, emptyText, problem } = options;
  const list = byId(`${name}-list`, HTMLElement);
  const more = byId(`${name}-more`, HTMLButtonElement);
  const status = byId(`${name}-status`, HTMLElement);
  let next: string | undefined;
  let newest = 0;

  function sayWhetherEmpty(): void {
    status.textContent = list.childElementCount === 0 && more.hidden ? emptyText : '';
  }

  async function load(pageToken?: string): Promise<void> {
    const turn = ++newest;
    more.disabled = true;
    try {
      const { items, nextPageToken } = await page(pageToken);
      // Another page was asked for meanwhile: this one is late.
      if (turn !== newest) return;
      if (pageToken === undefined) list.replaceChildren();
      list.append(...items.filter(({ id }) => !document.getElementById(id)));
      next = nextPageToken;
      more.hidden = next === undefined;
      sayWhetherEmpty();
      if (pageToken !== undefined) items[0]?.querySelector('button')?.focus({ preventScroll: true });
    } catch (error) {
      if (turn !== newest) return;
      more.hidden = false;
      status.textContent = problem(error);
    } finally {
      if (turn === newest) more.disabled = false;
    }
  }

  more.addEventListener('click', () => void load(next));
  return {
    restart: () => load(),
    prepend(item) {
      document.getElementById(item.id)?.remove();
      list.prepend(item);
      sayWhetherEmpty();
    },
    remove(item) {
      item.remove();
      sayWhetherEmpty();
    },
  };
}
