/** A sorted list that is loaded page by page. */
import { computed, signal } from '@preact/signals';
import { problemText } from '../strings/messages.ts';

type Page<Item> = { items: Item[]; nextPageToken?: string | undefined };

export type PagedList<Item extends { id: string }> = ReturnType<typeof createPagedList<Item>>;

/** @param fetchPage fetches the page of a token, or the first page without one. @param order sorts newest first */
export function createPagedList<Item extends { id: string }>(
  fetchPage: (pageToken?: string) => Promise<Page<Item>>,
  order: (one: Item, other: Item) => number,
) {
  const items = signal<readonly Item[]>([]);
  /** The position of each item in the list, by its id. */
  const positions = computed(() => new Map(items.value.map(({ id }, position) => [id, position])));
  /** `initial`: nothing is loaded yet. `more`: there are further pages. `complete`: the last page is loaded. */
  const state = signal<'initial' | 'more' | 'complete'>('initial');
  const isLoading = signal(false);
  const problem = signal('');
  let next: string | undefined;

  /** Replaces items that have the same id. */
  function merge(newItems: readonly Item[]): void {
    const last = items.value.at(-1);
    const isNext = newItems.every(
      (item, i) => !positions.value.has(item.id) && order(newItems[i - 1] ?? last ?? item, item) <= 0,
    );
    // The next page of a long list needs no sorting.
    if (isNext) {
      if (newItems.length > 0) items.value = [...items.value, ...newItems];
      return;
    }
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

    find(id: string): Item | undefined {
      const position = positions.value.get(id);
      return position === undefined ? undefined : items.value[position];
    },
    /** The position in the list, or -1. */
    findPosition: (id: string): number => positions.value.get(id) ?? -1,

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
