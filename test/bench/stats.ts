/** Medians, and a row of the table. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One comparison. `ours` and `other` are medians in `unit`; `goal` bounds their ratio from above or below. */
export type Row = {
  name: string;
  unit: string;
  ours: number;
  other: number;
  against: string;
  /** Absent if the row only informs. */
  goal?: { most: number } | { least: number };
  note?: string;
  /** False if something other than the ratio misses the goal. */
  ok?: boolean;
};

export const getRatio = ({ ours, other }: Row) => ours / other;

export function isMet(row: Row): boolean | undefined {
  if (!row.goal) return undefined;
  const ratio = getRatio(row);
  const within = 'most' in row.goal ? ratio <= row.goal.most : ratio >= row.goal.least;
  return within && row.ok !== false;
}
