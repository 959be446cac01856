import type { Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, createClient, isSettled } from '../../web/client.ts';

/** `user` is Firebase's `getAuth().currentUser`. `baseUrl` is '' if Hosting serves both page and functions. */
export function createUserClient(
  user: { getIdToken(forceRefresh: boolean): Promise<string> },
  baseUrl = '',
): Client {
  return createClient({ baseUrl, token: (forceRefresh) => user.getIdToken(forceRefresh) });
}

/** The balance to show: the one with the highest sequence, in whatever order they arrive. */
export type Balance = Pick<Receipt, 'balance' | 'sequence'>;
export function pickLatest(current: Balance | undefined, next: Balance): Balance {
  return current && current.sequence > next.sequence ? current : next;
}

/** What to tell the user about the credits when `generate` throws. */
export function creditsSentence(error: unknown): string {
  if (!(error instanceof ApiError)) return '';
  if (!isSettled(error)) return 'Nothing is settled yet.';
  const { charged = 0, refunded = 0 } = error.receipt ?? {};
  if (charged === 0) return 'You were not charged.';
  return refunded === charged ? `Your ${refunded} credits are back.` : `It has cost ${charged} credits.`;
}

/** The generation of a key after a reload, when the request itself is no longer known. */
export async function findByKey(client: Client, key: string) {
  try {
    return (await client.generation({ key })).generation;
  } catch (error) {
    // The request never arrived (it still may, for some seconds): nothing was charged.
    if (error instanceof ApiError && error.reason === 'NOT_FOUND') return undefined;
    throw error;
  }
}
