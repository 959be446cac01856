/** Sorts what the gallery shows into days, and the images of this visit to the places where they were made. */
import type { Generation } from '../../shared/contract.ts';
import { text } from '../strings/en.ts';
import { monthText, weekdayText } from '../strings/format.ts';
import type { Group, Shape } from './justify.ts';
import type { PendingGeneration } from './pendingGenerations.ts';

/** One place in the gallery: an image, or a generation that is being made. `id` stays when one becomes the other. */
export type GalleryItem = Shape & { at: number } & (
    | { generation: Generation; pending?: undefined }
    | { pending: PendingGeneration; generation?: undefined }
  );

/** An item is the same object as long as its image is, so that a long gallery is not measured again. */
const items = new WeakMap<Generation, GalleryItem>();

function toItem(generation: Generation): GalleryItem {
  const known = items.get(generation);
  if (known) return known;
  const { id, image, createdAt } = generation;
  const ratio = image ? image.width / image.height : 1;
  const item: GalleryItem = { id, ratio, generation, at: Date.parse(createdAt) };
  items.set(generation, item);
  return item;
}

/**
 * Puts the generations of this visit first, and leaves their images out of the rest: nothing is shown twice, and an
 * image appears where it was made.
 * @param ratioOf the shape of a generation that has no image yet
 */
export function listItems(
  generations: readonly Generation[],
  find: (id: string) => Generation | undefined,
  visit: readonly PendingGeneration[],
  ratioOf: (pending: PendingGeneration) => number,
): GalleryItem[] {
  const shown = new Set<string>();
  const own = visit.flatMap((pending): GalleryItem[] => {
    const progress = pending.progress.value;
    const { key, askedAt } = pending;
    if (progress.state === 'failed') return [];
    if (progress.state !== 'done') return [{ id: key, ratio: ratioOf(pending), pending, at: askedAt }];
    const generation = find(progress.generation.id);
    if (!generation) return [];
    shown.add(generation.id);
    return [{ ...toItem(generation), id: key, at: askedAt }];
  });
  const others = shown.size === 0 ? generations : generations.filter(({ id }) => !shown.has(id));
  return [...own, ...others.map(toItem)];
}

const dayMs = 86_400_000;
const daysByName = 7;

const startOfDay = (at: number) => new Date(at).setHours(0, 0, 0, 0);
const startOfMonth = (at: number) => new Date(startOfDay(at)).setDate(1);

/** Today, yesterday, the days of the last week, then months. @param items newest first */
export function groupByDate(items: readonly GalleryItem[], now: number): Group<GalleryItem>[] {
  const today = startOfDay(now);
  const groups: { title: string; items: GalleryItem[] }[] = [];
  // The earliest time with the title of the last group: only its first image needs a calendar.
  let since = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (item.at < since) {
      // Rounded, because a day can have 23 or 25 hours.
      const days = Math.round((today - startOfDay(item.at)) / dayMs);
      since = days < daysByName ? startOfDay(item.at) : startOfMonth(item.at);
      const title = titleOf(item.at, days);
      if (groups.at(-1)?.title !== title) groups.push({ title, items: [] });
    }
    groups.at(-1)?.items.push(item);
  }
  return groups;
}

function titleOf(at: number, days: number): string {
  if (days <= 0) return text.gallery.today;
  if (days === 1) return text.gallery.yesterday;
  return days < daysByName ? weekdayText(at) : monthText(at);
}
