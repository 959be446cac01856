/** The ledger as a person reads it: one line for each image, whatever its entries are, and one for each other entry. */
import type { Entry } from '../../shared/contract.ts';

/**
 * @property id of the image, or of the only entry
 * @property entries newest first
 * @property generationId set on the line of an image
 * @property amount the sum of the entries
 * @property balance after the newest entry
 * @property createdAt when the newest entry was written
 */
export type LedgerLine = {
  id: string;
  entries: readonly Entry[];
  generationId?: string;
  amount: number;
  balance: number;
  createdAt: string;
};

/** @param entries newest first. The place of a line is that of its newest entry, so that no line moves when older ones are loaded. */
export function groupEntries(entries: readonly Entry[]): LedgerLine[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const id = entry.generationId ?? entry.id;
    const group = groups.get(id);
    if (group) group.push(entry);
    else groups.set(id, [entry]);
  }
  return [...groups].map(([id, group]) => {
    const [newest] = group as [Entry];
    return {
      id,
      entries: group,
      ...(newest.generationId !== undefined && { generationId: newest.generationId }),
      amount: group.reduce((sum, { amount }) => sum + amount, 0),
      balance: newest.balance,
      createdAt: newest.createdAt,
    };
  });
}

/** The month of a time in the user's time zone, such as `2026-11`. Months sort as text. */
export function toMonth(time: string | number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`;
}

/** When a month begins, milliseconds since 1970. */
export const getMonthStart = (month: string): number => new Date(`${month}-01T00:00:00`).getTime();

/** The months from one to another, the newest first. At most ten years. */
export function listMonths(first: string, last: string): string[] {
  const months: string[] = [];
  const date = new Date(getMonthStart(last));
  while (months.length < 120 && toMonth(date.getTime()) >= first) {
    months.push(toMonth(date.getTime()));
    date.setMonth(date.getMonth() - 1);
  }
  return months;
}

/** What went out of the account and what came in, both as positive numbers. A refund counts against what it refunds. */
export function sumLines(lines: readonly LedgerLine[]): { spent: number; added: number } {
  let spent = 0;
  let added = 0;
  for (const { amount, generationId } of lines) {
    if (generationId !== undefined) spent -= amount;
    else if (amount < 0) spent -= amount;
    else added += amount;
  }
  return { spent, added };
}

/** A spreadsheet would run a cell that begins like a formula. Numbers stay as they are. */
function toCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A CSV file as RFC 4180 describes it, with a byte order mark, without which Excel misreads it. */
export const toCsv = (rows: readonly (readonly (string | number)[])[]): string =>
  `\ufeff${rows.map((row) => `${row.map(toCell).join(',')}\r\n`).join('')}`;
