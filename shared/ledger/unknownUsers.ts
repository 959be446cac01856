import type { LookUpUsers } from '../auth/users.ts';
import { uidSchema } from '../contract/ids.ts';
import type { Log } from '../core/log.ts';

/**
 * Finds those of up to 100 uids that Firebase Authentication does not know: somebody mistyped them in the console, or the
 * user was deleted. Each is logged.
 * @param lookUp undefined if there are no users to look up.
 * @returns undefined if nobody could be looked up: the look-up logs it if it fails.
 */
export async function findUnknownUsers(
  lookUp: LookUpUsers | undefined,
  log: Log,
  uids: readonly string[],
): Promise<string[] | undefined> {
  if (!lookUp || uids.length === 0) return undefined;
  // No user has any other uid, and one of them would make Google refuse the others.
  const possible = uids.filter((uid) => uidSchema.safeParse(uid).success);
  const users = possible.length === 0 ? [] : await lookUp(possible).catch(() => undefined);
  if (!users) return undefined;
  const known = new Set(users.map(({ uid }) => uid));
  const unknown = uids.filter((uid) => !known.has(uid));
  for (const uid of unknown) {
    log.warning('An account has no user in Firebase Authentication', { event: 'account_unknown_user', uid });
  }
  return unknown;
}
