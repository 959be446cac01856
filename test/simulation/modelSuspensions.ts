/**
 * Why a person is suspended: an admin has decided so, or a dispute holds money that an admin has not forgiven since. The model
 * observes both, and a person is suspended exactly as long as one of them stands.
 */
import type { Data } from '../../shared/database/database.ts';
import type { DocumentChange } from './memoryDatabase.ts';
import type { Entry } from './modelLedger.ts';
import { isSuspended, type ObservedAccount } from './observed.ts';
import type { World } from './world.ts';

type Accounts = ReadonlyMap<string, ObservedAccount>;

/** What suspends an account, as far as it began there. */
export type Reasons = {
  isByAdmin: boolean;
  /** The disputes of its purchases that hold money. */
  disputes: Set<string>;
  /** True if two decisions about the person ran at the same moment and did not know of each other. */
  isOpen: boolean;
};

export const createReasons = (): Reasons => ({ isByAdmin: false, disputes: new Set(), isOpen: false });

/** The accounts that have met an identity of this one, directly or through others. */
function findLinked(accounts: Accounts, account: ObservedAccount): ObservedAccount[] {
  const linked = new Set([account]);
  for (const one of linked) {
    for (const other of accounts.values()) {
      if ([...other.met].some((name) => one.met.has(name))) linked.add(other);
    }
  }
  return [...linked];
}

const isDue = (linked: readonly ObservedAccount[]) =>
  linked.some(({ reasons: { isByAdmin, disputes } }) => isByAdmin || disputes.size > 0);

/** True if somebody has changed `suspended` in the console, and no commit has recorded it. */
const isEdited = (data: Data | undefined) => isSuspended(data) !== (data?.suspendedAt !== undefined);

/** Observes one commit of the ledger to an account, and checks a decision that it makes. */
export function observeSuspension(
  world: World,
  accounts: Accounts,
  account: ObservedAccount,
  changes: readonly DocumentChange[],
  entries: readonly Entry[],
  { before, after, hasMet }: { before: Data | undefined; after: Data; hasMet: boolean },
): void {
  const { uid, reasons } = account;
  const linked = findLinked(accounts, account);
  const decided = findAdminDecision(uid, changes, before, after);
  const moves = entries.filter(({ id }) => /^(clawback|reinstatement):du_\d+$/.test(id));
  if (decided === undefined && moves.length === 0 && !hasMet) return;

  // The lifting of a suspension has not reached this account: which of the two was first is open.
  const isLate = isSuspended(before) && !isEdited(before) && !isDue(linked);
  if (isLate || !isInOrder(linked, account, before)) {
    world.happened('decisions about a person cross');
    for (const one of linked) one.reasons.isOpen = true;
  }
  if (decided === false) {
    for (const one of linked) Object.assign(one.reasons, { isByAdmin: false, disputes: new Set() });
  }
  if (decided) reasons.isByAdmin = true;
  for (const { id, type } of moves) {
    const dispute = id.slice(id.indexOf(':') + 1);
    if (type === 'clawback') account.reasons.disputes.add(dispute);
    else if (!isHeld(changes, dispute)) account.reasons.disputes.delete(dispute);
    const others = linked.filter((one) => one !== account && one.reasons.disputes.size > 0);
    if (others.length > 0) world.happened(`${type} while another account of the person is disputed`);
  }
  checkReasons(world, linked, account);
}

/** What an admin decided about the account by `suspend`, or in the console. */
function findAdminDecision(
  uid: string,
  changes: readonly DocumentChange[],
  before: Data | undefined,
  after: Data,
): boolean | undefined {
  const action = changes.find(
    ({ path, after: record }) => /^adminActions\/(suspend|restore):/.test(path) && record?.uid === uid,
  );
  if (action) return action.after?.action === 'suspend';
  return isEdited(before) && !isEdited(after) ? isSuspended(before) : undefined;
}

/** True if a dispute still takes money of its purchase, as the commit records it. */
const isHeld = (changes: readonly DocumentChange[], dispute: string) =>
  changes.some(({ after }) => Number((after?.disputes as Data | undefined)?.[dispute] ?? 0) > 0);

/**
 * True if a decision about one of the accounts knows of every other decision: they all have one identity, or every account
 * agreed before.
 */
function isInOrder(
  linked: readonly ObservedAccount[],
  account: ObservedAccount,
  before: Data | undefined,
): boolean {
  const [first] = linked;
  if (linked.length === 1 || [...(first?.met ?? [])].some((name) => linked.every(({ met }) => met.has(name))))
    return true;
  const toState = (data: Data | undefined) =>
    data && JSON.stringify([isSuspended(data), data.suspendedAt ?? null, data.restoredAt ?? null]);
  const states = linked.map((one) => toState(one === account ? before : one.data));
  return states.every((state) => state !== undefined && state === states[0]);
}

function checkReasons(
  { check }: World,
  linked: readonly ObservedAccount[],
  { uid, data }: ObservedAccount,
): void {
  if (linked.some(({ reasons }) => reasons.isOpen)) return;
  const describe = () =>
    `${uid}: ${linked.map(({ uid: of, reasons }) => `${of} ${reasons.isByAdmin} ${[...reasons.disputes]}`)}`;
  check(isSuspended(data) === isDue(linked), 'a person is suspended as long as a reason stands', describe);
}

/** Forgets what suspends an account that no identity knows, as its document is deleted. */
export function forgetSuspension(account: ObservedAccount): void {
  if (account.met.size === 0) account.reasons = createReasons();
}

/** Checks every account, once each decision has reached all. */
export function checkSuspensions(world: World, accounts: Accounts): void {
  for (const account of accounts.values()) {
    if (!account.data) continue;
    const linked = findLinked(accounts, account);
    if (linked.some(({ reasons }) => reasons.disputes.size > 0))
      world.happened('a person is disputed at rest');
    checkReasons(world, linked, account);
  }
}
