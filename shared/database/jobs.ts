/** Scheduled functions: how long one call works, and where the next one goes on. */
import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isDocumentId } from './database.ts';

/** Timeout of a scheduled function as it is deployed, milliseconds. */
export const jobTimeoutMs = 300_000;
/** The share of its timeout that a call works for, so that it can still answer. */
const workingShare = 0.8;

/** Whether a call that began now may still take on more. */
export function workingTime(clock: Clock): () => boolean {
  const until = clock.elapsed() + workingShare * jobTimeoutMs;
  return () => clock.elapsed() < until;
}

const jobPath = (name: string) => `jobs/${name}`;

/** Where the last call of a job stopped; undefined where it came to the end, or where the note is no id any more. */
export async function readCursor(
  { database, retryCommit }: Ledger,
  name: string,
): Promise<string | undefined> {
  const { documents } = await retryCommit(undefined, () => database.read([jobPath(name)]));
  const after = documents[0]?.data.after;
  return typeof after === 'string' && isDocumentId(after) ? after : undefined;
}

/** Notes where a job stopped, or that it came to the end. Of two calls at once the later note stands, which is harmless. */
export async function writeCursor(
  { database, retryCommit }: Ledger,
  name: string,
  after: string | undefined,
): Promise<void> {
  const data = { after: after ?? null, updatedAt: new Date() };
  await retryCommit(undefined, () => database.commit([{ set: jobPath(name), data }]));
}
