/** Places images in justified rows: whole images, each row as wide as the gallery. Pure, so that it can be tested. */

/** @property ratio width ÷ height */
export type Shape = { id: string; ratio: number };
export type Place = { id: string; x: number; y: number; width: number; height: number };
export type Group<Item extends Shape> = { title: string; items: readonly Item[] };
/** @property top of the group in the gallery. Its places are relative to that. */
export type PlacedGroup<Item extends Shape> = Group<Item> & { top: number; height: number; places: Place[] };

const gap = 8;
export const groupTitleHeight = 44;
const groupGap = 20;

/** Pixels. Small windows have two or three images in a row, large ones about six. */
export function getRowHeight(width: number): number {
  if (width < 560) return Math.max(120, width * 0.42);
  return Math.min(300, 150 + width * 0.1);
}

/** Places one group. The last row keeps the usual height, so that it may end early. */
export function placeRows(items: readonly Shape[], width: number, rowHeight: number) {
  const places: Place[] = [];
  let y = 0;
  let row: Shape[] = [];
  let ratios = 0;

  const heightOf = (count: number, sum: number) => (width - gap * (count - 1)) / sum;
  function endRow(isLast: boolean): void {
    if (row.length === 0) return;
    const full = heightOf(row.length, ratios);
    const height = Math.round(isLast ? Math.min(full, rowHeight) : full);
    const isFull = !isLast || full <= rowHeight;
    let x = 0;
    row.forEach(({ id, ratio }, i) => {
      const isEnd = isFull && i === row.length - 1;
      // A last row that is almost full could be rounded past the edge.
      const across = isEnd ? width - x : Math.min(Math.round(height * ratio), width - x);
      places.push({ id, x, y, width: across, height });
      x += across + gap;
    });
    y += height + gap;
    row = [];
    ratios = 0;
  }

  for (const item of items) {
    const withItem = heightOf(row.length + 1, ratios + item.ratio);
    if (row.length > 0 && withItem < rowHeight) {
      const without = heightOf(row.length, ratios);
      // The row ends before this image if it is closer to the usual height then.
      if (without - rowHeight < rowHeight - withItem) endRow(false);
    }
    row.push(item);
    ratios += item.ratio;
    if (heightOf(row.length, ratios) <= rowHeight) endRow(false);
  }
  endRow(true);
  return { places, height: Math.max(0, y - gap) };
}

export function placeGroups<Item extends Shape>(groups: readonly Group<Item>[], width: number) {
  const rowHeight = getRowHeight(width);
  let top = 0;
  return groups.map((group): PlacedGroup<Item> => {
    const { places, height } = placeRows(group.items, width, rowHeight);
    const placed = { ...group, places, top, height: groupTitleHeight + height };
    top += placed.height + groupGap;
    return placed;
  });
}

/** The first and last place of a group between two heights, which are relative to its places. Binary search. */
export function findVisible(
  places: readonly Place[],
  from: number,
  to: number,
): [first: number, end: number] {
  const search = (isBefore: (place: Place) => boolean) => {
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const place = places[middle];
      if (place && isBefore(place)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return [search(({ y, height }) => y + height < from), search(({ y }) => y <= to)];
}
