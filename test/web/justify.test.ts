import { expect, test } from 'vitest';
import { findVisible, getRowHeight, placeGroups, placeRows, type Shape } from '../../web/state/justify.ts';
import { fc } from '../support/properties.ts';

const toShapes = (ratios: number[]): Shape[] => ratios.map((ratio, i) => ({ id: String(i), ratio }));
const ratios = fc.array(fc.constantFrom(1, 1248 / 832, 832 / 1248, 1344 / 768, 768 / 1344), {
  maxLength: 60,
});
const widths = fc.integer({ min: 288, max: 2400 });

test('every image is placed once, in its order, whole, and inside the gallery', () => {
  fc.assert(
    fc.property(ratios, widths, (list, width) => {
      const { places, height } = placeRows(toShapes(list), width, getRowHeight(width));
      expect(places.map(({ id }) => id)).toEqual(list.map((_, i) => String(i)));
      places.forEach((place, i) => {
        expect(place.x).toBeGreaterThanOrEqual(0);
        expect(place.x + place.width).toBeLessThanOrEqual(width);
        expect(place.y + place.height).toBeLessThanOrEqual(height);
        // Rounded to whole pixels, in a row of up to ten images.
        const exact = place.height * (list[i] ?? 1);
        expect(Math.abs(place.width - exact)).toBeLessThanOrEqual(8);
      });
    }),
    // A last row that is full but for a part of a pixel.
    { examples: [[[1.75, 768 / 1344], 356]] },
  );
});

test('images of a row have one height, no two images overlap, and full rows end at the edge', () => {
  fc.assert(
    fc.property(ratios, widths, (list, width) => {
      const { places } = placeRows(toShapes(list), width, getRowHeight(width));
      const rows = Map.groupBy(places, ({ y }) => y);
      const last = Math.max(...rows.keys());
      for (const [y, row] of rows) {
        expect(new Set(row.map(({ height }) => height)).size).toBe(1);
        row.reduce((before, place) => {
          expect(place.x).toBeGreaterThanOrEqual(before);
          return place.x + place.width;
        }, 0);
        const end = row.at(-1);
        if (y !== last) expect((end?.x ?? 0) + (end?.width ?? 0)).toBe(width);
      }
    }),
  );
});

test('findVisible finds the places that touch a part of the gallery', () => {
  fc.assert(
    fc.property(ratios, widths, fc.integer({ min: -500, max: 5000 }), (list, width, from) => {
      const { places } = placeRows(toShapes(list), width, getRowHeight(width));
      const [first, end] = findVisible(places, from, from + 800);
      const isVisible = ({ y, height }: { y: number; height: number }) =>
        y + height >= from && y <= from + 800;
      expect(places.slice(first, Math.max(first, end))).toEqual(places.filter(isVisible));
    }),
  );
});

test('groups follow each other without overlap', () => {
  const groups = [3, 1, 20].map((count, i) => ({
    title: String(i),
    items: toShapes(Array.from({ length: count }, () => 1.5)),
  }));
  const placed = placeGroups(groups, 1000);
  placed.reduce((before, { top, height }) => {
    expect(top).toBeGreaterThanOrEqual(before);
    return top + height;
  }, 0);
});
