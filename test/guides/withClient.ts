import type { Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, createClient, isSettled } from '../../web/client.ts';

/** `user` is Firebase's: `getAuth().currentUser`. `baseUrl` is '' where Hosting serves page and functions. */
export function clientOf(user: { getIdToken(anew: boolean): Promise<string> }, baseUrl = ''): Client {
  return createClient({ baseUrl, token: (anew) => user.getIdToken(anew) });
}

/** The balance to show: of all that was seen, that with the highest sequence, in whatever order they came. */
export type Balance = Pick<Receipt, 'balance' | 'sequence'>;
export function latest(known: Balance | undefined, seen: Balance): Balance {
  return known && known.sequence > seen.sequence ? known : seen;
}

/** What to tell of the credits when `generate` threw. */
export function creditsSentence(error: unknown): string {
  if (!(error instanceof ApiError)) return '';
  if (!isSettled(error)) return 'Nothing is settled yet.';
  const { charged = 0, refunded = 0 } = error.receipt ?? {};
  if (charged === 0) return 'You were not charged.';
  return refunded === charged ? `Your ${refunded} credits are back.` : `It has cost ${charged} credits.`;
}

/** What became of a key after a reload, where the request itself is no longer known. */
export async function findByKey(client: Client, key: string) {
  try {
    return (await client.generation({ key })).generation;
  } catch (error) {
    // It never arrived (or still may, for some seconds): nothing was charged.
    if (error instanceof ApiError && error.reason === 'NOT_FOUND') return undefined;
    throw error;
  }
}
