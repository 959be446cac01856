/** What the gallery shows: everything, or what a search and the filter of favourites find. */
import { computed, effect, signal } from '@preact/signals';
import type { Generation } from '../../shared/contract.ts';
import type { Client } from '../client.ts';
import { createPagedList, type PagedList } from './pagedList.ts';

const foundPerPage = 60;
/** Wait after the last key before the functions are asked, in milliseconds. */
const askDelayMs = 300;
/** The longest `query` of `gallery`. */
export const queryCharactersMax = 200;

const toWords = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** A generation keeps its text as long as its image, so that each key does not read thousands of prompts again. */
const texts = new WeakMap<Generation, string>();

function getText(generation: Generation): string {
  const known = texts.get(generation);
  if (known !== undefined) return known;
  const { prompt, originalPrompt } = generation;
  const words = ` ${toWords(`${prompt ?? ''} ${originalPrompt ?? ''}`).join(' ')}`;
  texts.set(generation, words);
  return words;
}

/** A word that the user has not finished finds all that begin with it, or have it inside if nothing separates words. */
function hasWord(text: string, word: string): boolean {
  return text.includes(/[^\p{ASCII}]/u.test(word) ? word : ` ${word}`);
}

/** Sorts newest first. The times are RFC 3339 in UTC, so they sort as text. */
export function newestFirst(one: Generation, other: Generation): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? 1 : -1;
  return one.id < other.id ? 1 : one.id > other.id ? -1 : 0;
}

/** @param gallery all images, as far as they are loaded */
export function createGallerySearch(client: Pick<Client, 'gallery'>, gallery: PagedList<Generation>) {
  const query = signal('');
  const onlyFavourites = signal(false);
  const words = computed(() => toWords(query.value).slice(0, 20));
  const isActive = computed(() => words.value.length > 0 || onlyFavourites.value);
  /** The pages of the current search. The functions are asked a moment after the user stops typing. */
  const found = signal<PagedList<Generation> | undefined>();
  /** All that searches of this visit have found. */
  const known = signal<ReadonlyMap<string, Generation>>(new Map());

  const isMatch = (generation: Generation) =>
    (!onlyFavourites.value || generation.favourite) &&
    words.value.every((word) => hasWord(getText(generation), word));

  /** What is loaded, and what the functions have found beyond that. */
  const items = computed(() => {
    if (!isActive.value) return gallery.items.value;
    const others = [...known.value.values()].filter(({ id }) => gallery.findPosition(id) < 0);
    const matches = [gallery.items.value, others].map((list) => list.filter(isMatch));
    return matches[1]?.length === 0 ? (matches[0] ?? []) : matches.flat().sort(newestFirst);
  });
  const positions = computed(() => new Map(items.value.map(({ id }, position) => [id, position])));

  function ask(): void {
    const [asked, favourite] = [words.value.join(' ').slice(0, queryCharactersMax), onlyFavourites.value];
    const list = createPagedList<Generation>(async (pageToken) => {
      const { generations, nextPageToken } = await client.gallery({
        pageSize: foundPerPage,
        pageToken,
        ...(asked !== '' && { query: asked }),
        ...(favourite && { favourite }),
      });
      known.value = new Map([...known.value, ...generations.map((one) => [one.id, one] as const)]);
      return { items: generations, nextPageToken };
    }, newestFirst);
    found.value = list;
    void list.more();
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    const isAsked = words.value.length > 0 || onlyFavourites.value;
    clearTimeout(timer);
    found.value = undefined;
    // A gallery that is loaded as a whole needs no answer.
    if (isAsked && gallery.state.value !== 'complete') timer = setTimeout(ask, askDelayMs);
  });
  /** The list that has further pages. */
  const source = computed(() => (isActive.value ? found.value : gallery));

  return {
    query,
    onlyFavourites,
    isActive,
    items,
    find: (id: string) => gallery.find(id) ?? known.value.get(id),
    /** The position among what is shown, or -1. */
    findPosition: (id: string): number => positions.value.get(id) ?? -1,
    state: computed(() => {
      if (isActive.value && gallery.state.value === 'complete') return 'complete';
      return source.value?.state.value ?? 'initial';
    }),
    isLoading: computed(() => source.value?.isLoading.value ?? false),
    problem: computed(() => source.value?.problem.value ?? ''),
    more: async (): Promise<void> => source.value?.more(),
    remove(id: string): void {
      if (known.value.has(id)) known.value = new Map([...known.value].filter(([one]) => one !== id));
    },
    reset(): void {
      query.value = '';
      onlyFavourites.value = false;
    },
    close(): void {
      clearTimeout(timer);
      stop();
    },
  };
}
