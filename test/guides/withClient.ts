import type { Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, createClient, isSettled } from '../../web/client.ts';

/** `user` is Firebase's `getAuth().currentUser`. `baseUrl` is '' if Hosting serves the page and the functions. */
export function createUserClient(
  user: { getIdToken(forceRefresh: boolean): Promise<string> },
  baseUrl = '',
): Client {
  return createClient({ baseUrl, token: (forceRefresh) => user.getIdToken(forceRefresh) });
}

/** The balance to show: the one with the highest sequence. Balances may arrive in any order. */
export type Balance = Pick<Receipt, 'balance' | 'sequence'>;
export function pickLatest(known: Balance | undefined, seen: Balance): Balance {
  return known && known.sequence > seen.sequence ? known : seen;
}

/** The sentence about credits to show when `generate` throws. */
export function creditsSentence(error: unknown): string {
  if (!(error instanceof ApiError)) return '';
  if (!isSettled(error)) return 'Nothing is settled yet.';
  const { charged = 0, refunded = 0 } = error.receipt ?? {};
  if (charged === 0) return 'You were not charged.';
  return refunded === charged ? `Your ${refunded} credits are back.` : `It has cost ${charged} credits.`;
}

/** Finds the generation of a key, for example after a reload, when the request itself was not stored. */
export async function findByKey(client: Client, key: string) {
  try {
    return (await client.generation({ key })).generation;
  } catch (error) {
    // No request with this key has arrived, so nothing was charged. A delayed request may still arrive for some seconds.
    if (error instanceof ApiError && error.reason === 'NOT_FOUND') return undefined;
    throw error;
  }
}
