/** A list that is fetched page by page. */
import { signal } from '@preact/signals';
import { problemText } from '../words.ts';

type Page<Item> = { items: Item[]; nextPageToken?: string | undefined };

/** @param fetchPage the page that a token names, or the first. @param order newest first. */
export function createPagedList<Item extends { id: string }>(
  fetchPage: (pageToken?: string) => Promise<Page<Item>>,
  order: (one: Item, other: Item) => number,
) {
  const items = signal<Item[]>([]);
  /** Whether anything was fetched yet, and whether there is more to fetch. */
  const state = signal<'unread' | 'more' | 'whole'>('unread');
  const loading = signal(false);
  const problem = signal('');
  let next: string | undefined;

  /** An item that is known already is replaced, wherever it came from. */
  function merge(found: Item[]): void {
    const byId = new Map(items.value.map((item) => [item.id, item]));
    for (const item of found) byId.set(item.id, item);
    items.value = [...byId.values()].sort(order);
  }

  async function read(pageToken?: string): Promise<Page<Item> | undefined> {
    loading.value = true;
    try {
      const page = await fetchPage(pageToken);
      problem.value = '';
      return page;
    } catch (error) {
      problem.value = problemText(error);
      return undefined;
    } finally {
      loading.value = false;
    }
  }

  return {
    items,
    state,
    loading,
    problem,

    async more(): Promise<void> {
      if (loading.value || state.value === 'whole') return;
      const page = await read(next);
      if (!page) return;
      merge(page.items);
      next = page.nextPageToken;
      state.value = next === undefined ? 'whole' : 'more';
    },

    /** Reads the first page again, for what came in meanwhile. */
    async refresh(): Promise<void> {
      const page = await read();
      if (!page) return;
      merge(page.items);
      if (state.value !== 'unread') return;
      next = page.nextPageToken;
      state.value = next === undefined ? 'whole' : 'more';
    },

    add: (item: Item) => merge([item]),
    remove(id: string): void {
      items.value = items.value.filter((item) => item.id !== id);
    },
  };
}
