/** The ledger of one account, commit by commit: its entries must be exactly those that are due. */
import type { Data } from '../../shared/database/database.ts';
import { type DocumentChange, isSame } from './memoryDatabase.ts';
import type { Rules } from './model.ts';
import { checkFirstSight, checkFollowed, checkOncePerPerson } from './modelPeople.ts';
import { forgetSuspension, observeSuspension } from './modelSuspensions.ts';
import {
  findMistyped,
  getApplicableAdjust,
  isClosed,
  isMisnumbered,
  isOpened,
  isSuspended,
  type ObservedAccount,
  parseBalance,
} from './observed.ts';
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

/** Credits that move according to the other documents of the commit. */
export type Movement = { type: string; amount: number; generationId?: string };

/** The model, with the identities as they were before the commit. */
type Observed = {
  world: World;
  rules: Rules;
  accounts: ReadonlyMap<string, ObservedAccount>;
  identities: ReadonlyMap<string, Data>;
  closures: ReadonlyMap<string, Data>;
};

/** Observes one commit to an account's documents and checks that its ledger stays consistent. */
export function observeLedger(
  { world, rules, accounts, identities, closures }: Observed,
  account: ObservedAccount,
  changes: DocumentChange[],
  movements: Movement[],
  isConsole: boolean,
): void {
  const { check } = world;
  const { uid } = account;
  const entriesPath = `accounts/${uid}/entries/`;
  const written = changes.filter(({ path }) => path.startsWith(entriesPath));
  for (const { path, before, after } of written) {
    if (!before) continue;
    check(isErasure(before, after, closures.has(uid)), 'entries are append-only', () => path);
    const erased = account.entries.find(({ id }) => path === `${entriesPath}${id}`);
    if (erased) delete erased.reason;
  }
  const entries = written
    .filter(({ before }) => before === undefined)
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
  const metBefore = account.met.size;
  for (const name of (after.identities ?? []) as string[]) account.met.add(name);
  if (!before && account.signup === 'due' && account.entries.length > 0) account.signup = 'none';
  const payments = entries.filter(({ type }) => paymentTypes.includes(type));
  // A dispute suspends the person, and a dispute that was won restores.
  for (const { id, type } of payments) if (id.includes(':du_')) account.decisions.add(type === 'clawback');
  const hasMet = account.met.size > metBefore;
  observeSuspension(world, accounts, account, changes, payments, { before, after, hasMet });
  if (isSuspended(before) !== isSuspended(after)) checkFollowed(world, accounts, account, after);
  // A deleted document comes back empty, and the ledger's next commit closes it.
  const isOpening = before !== undefined && !isOpened(before);
  const isForgotten = isClosed(before) || (isOpening && closures.has(uid));
  check(!isForgotten || isClosed(after), 'a closed account stays closed', () => uid);
  // The commit that begins a closing may be the first of an account, with the address that the closing then erases.
  const wasClosing = closures.has(uid) && !changes.some(({ path }) => path === `closures/${uid}`);
  const isErased = isClosed(before) || (wasClosing && (isOpening || !before));
  check(!isErased || !after.email || before?.email === after.email, 'no address comes back', () => uid);
  checkFirstSight(world, identities, changes, account, before, after);
  checkPayments(world, account, changes, payments, { before, after });

  const due = [...movements, ...payments.map(({ type, amount }) => ({ type, amount }))];
  if (entries.some(({ id }) => id === 'signup')) due.push(checkSignup(world, rules, account));
  for (const entry of entries) {
    if (entry.id === 'signup' || entry.type === 'allowance') {
      checkOncePerPerson(world, accounts, account, entry.id);
    }
    const isRefused = entry.type === 'debit' && isSuspended(after);
    check(!isRefused, 'a suspended account is not debited', () => uid);
    const isLate = ['debit', 'grant', 'allowance'].includes(entry.type) && isClosed(before);
    check(!isLate, 'a closed account gets and pays nothing', () => `${uid} ${entry.id}`);
    if (entry.type === 'allowance') due.push(checkAllowance(world, rules, account, entry, before));
  }
  const shown = before ? parseBalance(before) : 0;
  // While the sequence is wrong, only a refund may write, and it leaves an edit for later.
  const misnumbered = isMisnumbered(before, account.entries.length);
  if (misnumbered) {
    check(
      due.every(({ type }) => type === 'refund' || paymentTypes.includes(type)),
      'a wrong sequence is refused',
      () => uid,
    );
    check(isSame(before?.adjust, after.adjust), 'a refund leaves an edit for later', () => uid);
  }
  const taken = before && !misnumbered ? getTakenAdjust(world, before, after, shown) : 0;
  const isWritten = after.settled !== undefined;
  check(isWritten || !before, 'a written account is opened in the ledger', () => uid);
  // The console edits that this commit must record.
  const isLeft = shown === undefined || !isWritten || misnumbered;
  const unaccounted = isLeft ? 0 : shown + taken - account.sum;
  if (unaccounted !== 0) due.unshift({ type: 'adjustment', amount: unaccounted });
  checkEntries(world, account, entries, due);

  if (shown === undefined) {
    check(isSame(before?.balance, after.balance), 'an invalid balance is left alone', () => uid);
  } else {
    const moved = due.reduce((sum, { type, amount }) => (type === 'adjustment' ? sum : sum + amount), 0);
    const expected = shown + taken + moved;
    check(after.balance === expected, 'the balance is the expected one', () =>
      describe(uid, after.balance, expected),
    );
    check(expected >= 0, 'no balance is ever negative', () => `${uid}: ${expected}`);
  }
  account.edits += taken;
  if (isWritten) {
    check(after.settled === account.sum, 'settled is the sum of all entries', () =>
      describe(uid, after.settled, account.sum),
    );
    check(
      after.sequence === account.entries.length,
      'sequences have no gap',
      () => `${uid}: ${after.sequence}`,
    );
  }
}

/** The free texts of an entry may be erased once its account closes. Everything else stays. */
function isErasure(before: Data, after: Data | undefined, isClosing: boolean): boolean {
  const { reason: _, actor: __, ...books } = before;
  const { reason, actor: ___, ...same } = after ?? {};
  return isClosing && reason === undefined && isSame(books, same);
}

const describe = (uid: string, found: unknown, expected: number) => `${uid}: ${found}, expected ${expected}`;

const paymentTypes = ['purchase', 'clawback', 'reinstatement'];

/**
 * The entries of payments move what the purchases of the commit say, and the debt takes the rest.
 */
function checkPayments(
  { check }: World,
  { uid, entries }: ObservedAccount,
  changes: DocumentChange[],
  payments: Entry[],
  { before, after }: { before: Data | undefined; after: Data },
): void {
  const purchases = changes.filter(({ path }) => path.startsWith(`accounts/${uid}/purchases/`));
  const toHeld = (data: Data | undefined) => Number(data?.credits ?? 0) - Number(data?.claim ?? 0);
  const held = purchases.reduce((total, change) => total + toHeld(change.after) - toHeld(change.before), 0);
  const moved = payments.reduce((total, { amount }) => total + amount, 0);
  const debt = Number(after.debt ?? 0);
  // An account that was deleted in the console comes back with its debt.
  const owed = isOpened(before) ? Number(before?.debt ?? 0) : debt - (held === moved ? 0 : moved - held);
  check(
    moved - held === debt - owed,
    'payments move what Stripe holds',
    () => `${uid}: moved ${moved}, held ${held}, debt ${owed} then ${debt}`,
  );
  check(debt >= 0, 'a debt is never negative', () => `${uid}: ${debt}`);
  for (const { id } of payments) {
    check(!entries.some((entry) => entry.id === id), 'each object of Stripe moves credits once', () => id);
  }
}

/** What `adjust` added with this commit. The first commit must apply a valid one. */
function getTakenAdjust(world: World, before: Data, after: Data, shown: number | undefined): number {
  const adjust = before.adjust;
  const applicable = getApplicableAdjust({
    shown,
    adjust: Number.isSafeInteger(adjust) ? Number(adjust) : undefined,
  });
  if (applicable === undefined) {
    world.check(isSame(adjust, after.adjust), 'an invalid adjust is left alone', () => String(adjust));
    return 0;
  }
  world.check(after.adjust === undefined, 'an adjust is removed with its entry', () => String(adjust));
  return applicable;
}

function checkSignup(world: World, rules: Rules, account: ObservedAccount): Movement {
  const { uid, verified } = account;
  world.check(account.signup === 'due', 'signup credits are granted once', () => `${uid}: ${account.signup}`);
  account.signup = 'granted';
  world.check(verified, 'signup credits are for verified users', () => uid);
  world.happened('signup grant');
  return { type: 'grant', amount: rules.signupCredits };
}

/** An allowance tops up to the exact amount, once per period, for verified users. Its id names the period. */
function checkAllowance(
  world: World,
  { allowanceCredits }: Rules,
  { uid, entries, verified }: ObservedAccount,
  { id, amount, balance }: Entry,
  before: Data | undefined,
): Movement {
  const { check } = world;
  check(verified, 'allowances are for verified users', () => uid);
  check(!isSuspended(before), 'a suspended account gets no allowance', () => uid);
  check(!findMistyped(before).includes('allowance'), 'an allowance typed wrong is not paid', () => uid);
  check(!entries.some((entry) => entry.id === id), 'an allowance is granted once', () => `${uid} ${id}`);
  const expected = before?.allowance ?? allowanceCredits;
  check(amount > 0 && balance === expected, 'an allowance tops up', () => `${uid}: ${balance}`);
  return { type: 'allowance', amount };
}

/** The new entries must be exactly those that are due, each with its balance. */
function checkEntries(world: World, account: ObservedAccount, entries: Entry[], due: Movement[]): void {
  const { check } = world;
  const toText = ({ type, amount, generationId }: Movement) => `${type} ${amount} ${generationId ?? ''}`;
  const [found, expected] = [entries.map(toText).sort().join('; '), due.map(toText).sort().join('; ')];
  check(
    found === expected,
    'every movement has its entry',
    () => `${account.uid}: ${found}, expected ${expected}`,
  );
  for (const entry of entries) {
    world.happened(
      `entry: ${entry.type}`,
      () => `${account.uid} ${entry.id} ${entry.amount} -> ${entry.balance}`,
    );
    account.sum += entry.amount;
    account.entries.push(entry);
    check(entry.sequence === account.entries.length, 'sequences have no gap', () => entry.id);
    check(entry.balance === account.sum, 'an entry has the balance after it', () => entry.id);
    const name = entry.type === 'grant' ? 'goodwill' : entry.type;
    const isNamed = entry.generationId === undefined || entry.id === `${entry.generationId}:${name}`;
    check(isNamed, "an entry's id names its generation", () => entry.id);
  }
}

/** A console edit counts from now on, whenever the ledger records it. */
function observeEdit(account: ObservedAccount, { before, after }: DocumentChange): void {
  // An invalid balance changes nothing.
  const getCredits = (data: Data | undefined) => (data ? (parseBalance(data) ?? account.sum) : 0);
  if (after && isSuspended(before) !== isSuspended(after)) account.decisions.add(isSuspended(after));
  if (!after) forgetSuspension(account);
  account.edits += getCredits(after) - (before ? getCredits(before) : 0);
  account.data = after;
  if (account.signup !== 'granted') {
    if (!before && after) account.signup = 'none';
    // An identity that the account has met knows that it was made by hand.
    const hasMet = ((before?.identities ?? []) as string[]).length > 0;
    if (!after && account.entries.length === 0 && !hasMet) account.signup = 'due';
  }
  const changes = (field: string) => !isSame(before?.[field], after?.[field]);
  if (['active', 'rate', 'billedRefunds'].some(changes)) account.limitsForgotten = true;
}
