/** Links as they have to stand after the moves; of a document nothing changes but the destinations. */
import { movedDestination } from './destination.ts';
import type { Document } from './markdown.ts';

export type Rewritten = { text: string; count: number };

/** `to` is where the document will be. */
export function rewriteLinks(
  { path, text, destinations }: Document,
  to: string,
  relocate: (target: string) => string,
): Rewritten {
  let rewritten = '';
  let done = 0;
  let count = 0;
  for (const { start, end, url } of destinations) {
    const raw = text.slice(start, end);
    const destination = movedDestination({ raw, url }, { from: path, to, relocate });
    if (destination === undefined) continue;
    rewritten += text.slice(done, start) + destination;
    done = end;
    count += 1;
  }
  return { text: rewritten + text.slice(done), count };
}
