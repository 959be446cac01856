/** One account's books, commit by commit: every entry must be one that was due, and every one due must be there. */
import type { Data } from '../../shared/database/database.ts';
import { type DocumentChange, isSame } from './memoryDatabase.ts';
import type { Rules } from './model.ts';
import { type AccountSeen, adjustable, creditsIn } from './seen.ts';
import type { World } from './world.ts';

export type Entry = {
  id: string;
  sequence: number;
  type: string;
  amount: number;
  balance: number;
  generationId?: string;
  reason?: string;
};

/** Credits that moved, as the commit's other documents tell. */
export type Movement = { type: string; amount: number; generationId?: string };

/** Takes one commit to an account's documents, and checks that it keeps the books. */
export function observeBooks(
  world: World,
  rules: Rules,
  account: AccountSeen,
  changes: DocumentChange[],
  movements: Movement[],
  isConsole: boolean,
): void {
  const { check } = world;
  const { uid } = account;
  const entriesPath = `accounts/${uid}/entries/`;
  const written = changes.filter(({ path }) => path.startsWith(entriesPath));
  for (const { path, before } of written) check(before === undefined, 'entries are append-only', () => path);
  const entries = written
    .map(({ path, after }) => ({ ...after, id: path.slice(entriesPath.length) }) as Entry)
    .sort((a, b) => a.sequence - b.sequence);
  const own = changes.find(({ path }) => path === `accounts/${uid}`);
  if (isConsole) {
    if (own) observeEdit(account, own);
    return;
  }
  if (!own) {
    const none = entries.length === 0 && movements.length === 0;
    check(none, 'credits move with their account', () => uid);
    return;
  }
  const { before, after } = own;
  check(after !== undefined, 'an account is never deleted by the ledger', () => uid);
  if (!after) return;
  account.data = after;
  if (!before && account.signup === 'due' && account.entries.length > 0) account.signup = 'none';
  check(Boolean(before?.suspended) === Boolean(after.suspended), 'only an admin suspends', () => uid);

  const due = [...movements];
  if (entries.some(({ id }) => id === 'signup')) due.push(signupOf(world, rules, account));
  for (const { id, amount, type } of entries) {
    if (type === 'allowance') due.push(allowanceOf(world, rules, account, { id, amount }, after.balance));
  }
  const shown = before ? creditsIn(before.balance) : 0;
  const taken = before ? takenAdjust(world, before, after, shown) : 0;
  const isOpened = after.settled !== undefined;
  check(isOpened || !before, 'an account that is written has its books opened', () => uid);
  // What an admin changed since, and this commit has to tell of.
  const unaccounted = shown === undefined || !isOpened ? 0 : shown + taken - account.sum;
  if (unaccounted !== 0) due.unshift({ type: 'adjustment', amount: unaccounted });
  checkEntries(world, account, entries, due);

  if (shown === undefined) {
    check(isSame(before?.balance, after.balance), 'an invalid balance is left alone', () => uid);
  } else {
    const moved = due.reduce((sum, { type, amount }) => (type === 'adjustment' ? sum : sum + amount), 0);
    const expected = shown + taken + moved;
    check(after.balance === expected, 'the balance is what it must be', () =>
      told(uid, after.balance, expected),
    );
    check(expected >= 0, 'no balance is ever negative', () => `${uid}: ${expected}`);
  }
  account.edits += taken;
  if (isOpened) {
    check(after.settled === account.sum, 'settled is the sum of all entries', () =>
      told(uid, after.settled, account.sum),
    );
    check(
      after.sequence === account.entries.length,
      'sequences have no gap',
      () => `${uid}: ${after.sequence}`,
    );
  }
}

const told = (uid: string, found: unknown, expected: number) => `${uid}: ${found}, expected ${expected}`;

/** What an admin's `adjust` added with this commit. One that can be applied must be, by whoever comes first. */
function takenAdjust(world: World, before: Data, after: Data, shown: number | undefined): number {
  const adjust = before.adjust;
  const applicable = adjustable({ shown, adjust: Number.isSafeInteger(adjust) ? Number(adjust) : undefined });
  if (applicable === undefined) {
    world.check(isSame(adjust, after.adjust), 'an invalid adjust is left alone', () => String(adjust));
    return 0;
  }
  world.check(after.adjust === undefined, 'an adjust is removed with its entry', () => String(adjust));
  return applicable;
}

function signupOf(world: World, rules: Rules, account: AccountSeen): Movement {
  const { uid, verified } = account;
  world.check(account.signup === 'due', 'signup credits are granted once', () => `${uid}: ${account.signup}`);
  account.signup = 'granted';
  world.check(verified, 'signup credits are for verified users', () => uid);
  world.happened('signup grant');
  return { type: 'grant', amount: rules.signupCredits };
}

/** Tops up to the allowance exactly, once for each period, which its id names. */
function allowanceOf(
  world: World,
  { allowanceCredits }: Rules,
  { uid, entries }: AccountSeen,
  { id, amount }: { id: string; amount: number },
  balance: unknown,
): Movement {
  const { check } = world;
  check(!entries.some((entry) => entry.id === id), 'an allowance is given once', () => `${uid} ${id}`);
  check(amount > 0 && balance === allowanceCredits, 'an allowance tops up', () => `${uid}: ${balance}`);
  return { type: 'allowance', amount };
}

/** The new entries must be exactly those that are due, each telling the balance it led to. */
function checkEntries(world: World, account: AccountSeen, entries: Entry[], due: Movement[]): void {
  const { check } = world;
  const name = ({ type, amount, generationId }: Movement) => `${type} ${amount} ${generationId ?? ''}`;
  const [found, wanted] = [entries.map(name).sort().join('; '), due.map(name).sort().join('; ')];
  check(
    found === wanted,
    'every movement has its entry',
    () => `${account.uid}: ${found}, expected ${wanted}`,
  );
  for (const entry of entries) {
    world.happened(
      `entry: ${entry.type}`,
      () => `${account.uid} ${entry.id} ${entry.amount} -> ${entry.balance}`,
    );
    account.sum += entry.amount;
    account.entries.push(entry);
    check(entry.sequence === account.entries.length, 'sequences have no gap', () => entry.id);
    check(entry.balance === account.sum, 'an entry tells the balance after it', () => entry.id);
    const named = entry.generationId === undefined || entry.id === `${entry.generationId}:${entry.type}`;
    check(named, "an entry's id is that of its cause", () => entry.id);
  }
}

/** An admin's edit: what it adds counts from now on, whenever the ledger comes to know of it. */
function observeEdit(account: AccountSeen, { before, after }: DocumentChange): void {
  // The books as whoever reads the account would have them: an invalid balance tells nothing.
  const worthOf = (data: Data | undefined) => (data ? (creditsIn(data.balance) ?? account.sum) : 0);
  account.edits += worthOf(after) - (before ? worthOf(before) : 0);
  account.data = after;
  if (account.signup !== 'granted') {
    if (!before && after) account.signup = 'none';
    if (!after && account.entries.length === 0) account.signup = 'due';
  }
  const changes = (field: string) => !isSame(before?.[field], after?.[field]);
  if (['active', 'rate', 'billedRefunds'].some(changes)) account.limitsForgotten = true;
}
