/** Who shares an identity with whom, and what must then hold of their accounts. */
import type { Data } from '../../shared/database/database.ts';
import type { DocumentChange } from './memoryDatabase.ts';
import { isSuspended, type ObservedAccount } from './observed.ts';
import type { World } from './world.ts';

type Accounts = ReadonlyMap<string, ObservedAccount>;

/** The accounts of other users with one of this user's identities. */
export const findShared = (accounts: Accounts, { uid, names }: ObservedAccount): ObservedAccount[] =>
  [...accounts.values()].filter(
    (other) => other.uid !== uid && other.names.some((name) => names.includes(name)),
  );

/** The account and all that share an identity with it, directly or through others. */
export function findPerson(accounts: Accounts, account: ObservedAccount): Set<ObservedAccount> {
  const person = new Set([account]);
  for (const one of person) {
    for (const other of findShared(accounts, one)) person.add(other);
  }
  return person;
}

/** Whether the ledger may change a suspension: an admin has decided so about the person, in the console or by `suspend`. */
export function checkFollowed(world: World, accounts: Accounts, account: ObservedAccount, after: Data): void {
  const suspended = isSuspended(after);
  const decisions = [...findPerson(accounts, account)].flatMap((one) => [...one.decisions]);
  world.happened(`the ledger ${suspended ? 'suspends' : 'restores'} an account`, () => account.uid);
  world.check(
    decisions.includes(suspended),
    'only an admin or a dispute suspends or restores',
    () => account.uid,
  );
}

/**
 * A suspended person is suspended by the commit in which an account meets the identity, unless the account was one of the
 * person's before and the person was restored later.
 * @param identities before it.
 */
export function checkFirstSight(
  world: World,
  identities: ReadonlyMap<string, Data>,
  changes: readonly DocumentChange[],
  { uid }: ObservedAccount,
  before: Data | undefined,
  after: Data,
): void {
  const known = (before?.identities ?? []) as string[];
  const lists = (stored: Data | undefined) => ((stored?.uids ?? []) as string[]).includes(uid);
  const restoredAt = Math.max(
    ...[before, ...[...identities.values()].filter(lists)].map((copy) => Number(copy?.restoredAt ?? 0)),
  );
  for (const name of (after.identities ?? []) as string[]) {
    if (known.includes(name)) continue;
    const change = changes.find(({ path }) => path === `identities/${name}`);
    const stored = identities.get(name);
    world.check(
      lists(change?.after ?? stored),
      'an identity is written with its account',
      () => `${uid} ${name}`,
    );
    // An admin's edit of this account that the commit records counts more, and so does `suspend`.
    const isEdited = isSuspended(before) !== (before?.suspendedAt !== undefined);
    const isDecided = isEdited || changes.some(({ path }) => path.startsWith('adminActions/restore:'));
    const isLifted = lists(stored) && restoredAt > Number(stored?.suspendedAt);
    // The account was deleted in the console, and this commit ends the disputes that suspended the person.
    const disputes = (stored?.suspendedFor ?? []) as string[];
    const isWon =
      disputes.length > 0 &&
      disputes.every((id) => changes.some(({ path }) => path.endsWith(`/entries/reinstatement:${id}`)));
    const isRight = isSuspended(after) || isDecided || isLifted || isWon;
    const mayPay = stored?.suspendedAt !== undefined && !isRight;
    world.check(!mayPay, 'a suspended person is suspended at first sight', () => `${uid} ${name}`);
  }
}

/** Signup credits, and the allowance of a period, come once to all who share an identity. */
export function checkOncePerPerson(
  world: World,
  accounts: Accounts,
  account: ObservedAccount,
  entryId: string,
): void {
  const shared = findShared(accounts, account);
  const [kind] = entryId.split(':');
  if (shared.length > 0) world.happened(`${kind} of a person with several accounts`);
  const others = shared.filter(({ met }) => [...met].some((name) => account.met.has(name)));
  const again = others.find(({ entries }) => entries.some(({ id }) => id === entryId));
  world.check(!again, `credits come once per person`, () => `${account.uid} ${again?.uid} ${entryId}`);
}

/** At rest the accounts of a person agree about a suspension. One that has met none of its identities is on its own. */
export function checkAgreement({ check }: World, accounts: Accounts): void {
  const met = [...accounts.values()].filter(({ data }) => ((data?.identities ?? []) as string[]).length > 0);
  for (const one of met) {
    for (const other of met) {
      const isShared = other.names.some((name) => one.names.includes(name));
      const agree = isSuspended(one.data) === isSuspended(other.data);
      check(!isShared || agree, 'the accounts of a person agree', () => `${one.uid} ${other.uid}`);
    }
  }
}
