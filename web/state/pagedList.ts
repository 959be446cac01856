/** A sorted list that is loaded page by page. */
import { signal } from '@preact/signals';
import { problemText } from '../words.ts';

type Page<Item> = { items: Item[]; nextPageToken?: string | undefined };

/** @param fetchPage fetches the page of a token, or the first page without one. @param order sorts newest first */
export function createPagedList<Item extends { id: string }>(
  fetchPage: (pageToken?: string) => Promise<Page<Item>>,
  order: (one: Item, other: Item) => number,
) {
  const items = signal<Item[]>([]);
  /** `initial`: nothing is loaded yet. `more`: there are further pages. `complete`: the last page is loaded. */
  const state = signal<'initial' | 'more' | 'complete'>('initial');
  const isLoading = signal(false);
  const problem = signal('');
  let next: string | undefined;

  /** Replaces items that have the same id. */
  function merge(newItems: Item[]): void {
    const byId = new Map(items.value.map((item) => [item.id, item]));
    for (const item of newItems) byId.set(item.id, item);
    items.value = [...byId.values()].sort(order);
  }

  async function read(pageToken?: string): Promise<Page<Item> | undefined> {
    isLoading.value = true;
    try {
      const page = await fetchPage(pageToken);
      problem.value = '';
      return page;
    } catch (error) {
      problem.value = problemText(error);
      return undefined;
    } finally {
      isLoading.value = false;
    }
  }

  return {
    items,
    state,
    isLoading,
    problem,

    async more(): Promise<void> {
      if (isLoading.value || state.value === 'complete') return;
      const page = await read(next);
      if (!page) return;
      merge(page.items);
      next = page.nextPageToken;
      state.value = next === undefined ? 'complete' : 'more';
    },

    /** Reads the first page again and merges what is new; the position in the list stays. */
    async refresh(): Promise<void> {
      const page = await read();
      if (!page) return;
      merge(page.items);
      if (state.value !== 'initial') return;
      next = page.nextPageToken;
      state.value = next === undefined ? 'complete' : 'more';
    },

    add: (item: Item) => merge([item]),
    remove(id: string): void {
      items.value = items.value.filter((item) => item.id !== id);
    },
  };
}
