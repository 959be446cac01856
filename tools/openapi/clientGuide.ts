/** The table of reasons in docs/guides/client.md. It is between two comments; the rest of the page is by hand. */
import { join } from 'node:path';
import { reasons } from '../../shared/errorReasons.ts';
import { reasonNames } from './errors.ts';
import { markdown } from './markdown.ts';

export const clientGuideFile = join(import.meta.dirname, '../../docs/guides/client.md');

const opening = '<!-- reasons: made by npm run api -->';
const closing = '<!-- end of reasons -->';

/** The reasons of web/client.ts itself, for a call that no function answered. */
const clientReasons: string[][] = [
  [
    'UNREACHABLE',
    '"No connection. Nothing is lost."',
    'Offer "Ask again". The client continues without it if the browser is online again in time.',
  ],
  [
    'UNKNOWN',
    '"Something went wrong on the way."',
    'Offer "Ask again". The answer is not from a function, but from a proxy or a captive portal.',
  ],
];

/** The guide with the current table. @throws {Error} if it has no place for one. */
export function withReasonTable(guide: string): string {
  const [start, end] = [guide.indexOf(opening), guide.indexOf(closing)];
  if (start < 0 || end < start) throw new Error(`docs/guides/client.md needs ${opening} and ${closing}`);
  return `${guide.slice(0, start + opening.length)}\n\n${reasonTable()}\n${guide.slice(end)}`;
}

function reasonTable(): string {
  const rows = reasonNames.map((reason) => [reason, reasons[reason].tell, reasons[reason].action]);
  return markdown([
    { kind: 'table', head: ['reason', 'tell the user', 'do'], rows: [...rows, ...clientReasons] },
  ]);
}
