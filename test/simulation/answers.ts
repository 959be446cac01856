/** Checks replies of `generate` against what the database held while the call ran. */
import type { Model } from './model.ts';
import { countBilledRefunds } from './modelGenerations.ts';
import {
  type Body,
  getApplicableAdjust,
  getPrice,
  isSameBody,
  type Moment,
  type ObservedGeneration,
} from './observed.ts';
import { modelWords } from './upstreams.ts';
import type { WireAnswer } from './wire.ts';

export type Receipt = { charged: number; refunded: number; balance: number; sequence: number };
type ErrorBody = {
  error: { code: number; status: string; details: { reason?: string; metadata?: Record<string, string> }[] };
  receipt?: Receipt;
};

/** The parts of a reply that a client acts on. */
export type Outcome = {
  status: number;
  reason: string;
  retry: string;
  metadata: Record<string, string>;
  receipt: Receipt | undefined;
  body: unknown;
  isReplay: boolean;
};

/** The HTTP status of each reason, from the contract. */
const statuses: Record<string, number> = {
  INVALID_REQUEST: 400,
  INSUFFICIENT_CREDITS: 402,
  ACCOUNT_SUSPENDED: 403,
  NOT_FOUND: 404,
  IN_PROGRESS: 409,
  EMAIL_NOT_VERIFIED: 403,
  PAYMENTS_UNAVAILABLE: 503,
  ACCOUNT_INVALID: 409,
  ACCOUNT_CLOSED: 409,
  EXPIRED: 410,
  DELETED: 410,
  IDEMPOTENCY_KEY_REUSED: 422,
  CONTENT_BLOCKED: 422,
  REFERENCE_UNREADABLE: 422,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  PROVIDER_MISCONFIGURED: 500,
  PROVIDER_ERROR: 502,
  NO_IMAGE: 502,
  STORAGE_ERROR: 502,
  PROVIDER_QUOTA: 503,
  PROVIDER_OVERLOADED: 503,
  DATABASE_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
  PROVIDER_TIMEOUT: 504,
};
/** The advice of the reasons whose advice never changes. For the others it depends on the debit. */
const fixedRetries: Record<string, string> = {
  INSUFFICIENT_CREDITS: 'no',
  ACCOUNT_SUSPENDED: 'no',
  ACCOUNT_INVALID: 'no',
  ACCOUNT_CLOSED: 'no',
  NOT_FOUND: 'no',
  IN_PROGRESS: 'same_key',
  RATE_LIMITED: 'same_key',
  EXPIRED: 'new_key',
  IDEMPOTENCY_KEY_REUSED: 'new_key',
  DELETED: 'no',
};
/** Refusals before any debit. They leave no trace, and the key can be used again. */
const refusals = new Set([
  'INSUFFICIENT_CREDITS',
  'ACCOUNT_SUSPENDED',
  'ACCOUNT_INVALID',
  'ACCOUNT_CLOSED',
  'RATE_LIMITED',
]);

/** Parses a reply. A reply that does not fit the contract breaks the history. */
export function parseAnswer({ world: { check } }: Model, { status, headers, body }: WireAnswer): Outcome {
  const isReplay = headers['idempotent-replayed'] === 'true';
  if (status === 200) {
    const { receipt } = body as { receipt?: Receipt };
    return { status, reason: 'OK', retry: 'none', metadata: {}, receipt, body, isReplay };
  }
  const { error, receipt } = body as ErrorBody;
  const { reason = '', metadata = {} } = error.details[0] ?? {};
  const retry = metadata.retry ?? '';
  check(statuses[reason] === status, 'replies fit the contract', () => `${status} ${reason}`);
  check(
    ['same_key', 'new_key', 'no'].includes(retry),
    'every error has retry advice',
    () => `${status} ${reason}`,
  );
  // An image that was deleted after the hold has read it: the generation is refunded, if the database answers.
  const isDebited = reason === 'NOT_FOUND' && receipt !== undefined;
  const refundRetry = receipt?.refunded === 0 ? 'same_key' : 'new_key';
  const expected = isDebited ? refundRetry : (fixedRetries[reason] ?? retry);
  check(retry === expected, 'the retry advice fits the reason', () => `${reason} ${retry}`);
  return { status, reason, retry, metadata, receipt, body, isReplay };
}

export type Call = { uid: string; key: string; body: Body };

/** The statuses of a generation since a tick, beginning with the one it had at that tick. */
export function statusesSince({ history }: ObservedGeneration, tick: number): string[] {
  const current = history.findLastIndex((one) => one.tick <= tick);
  return history.slice(Math.max(0, current)).map(({ status }) => status);
}

/** Checks one reply of `generate`, and that every later final reply of the same call is the same. */
export function checkGenerate(
  model: Model,
  finals: Map<string, string>,
  { uid, key, body }: Call,
  answer: WireAnswer,
  startTick: number,
  startedAt: number,
): Outcome {
  const { check, happened } = model.world;
  const outcome = parseAnswer(model, answer);
  const { status, reason, retry, receipt, metadata } = outcome;
  const found = model.findGeneration(uid, key);
  const describe = () => `${uid} ${key}: ${status} ${reason}`;
  happened(`answer: ${reason}${outcome.isReplay ? ' again' : ''}`);

  if (refusals.has(reason) || (reason === 'NOT_FOUND' && retry === 'no')) {
    // Nothing is left of a generation without a debit whose document an admin deleted.
    const isLost = found?.removed && found.cached;
    const wasThere = found && !isLost && (found.history[0]?.tick ?? 0) <= startTick;
    check(!wasThere, 'a used key is replayed', describe);
    check(receipt === undefined, 'a refusal has no receipt', describe);
    checkRefusal(model, uid, body, outcome, startTick, startedAt);
    return outcome;
  }
  if (reason === 'DATABASE_UNAVAILABLE' && retry === 'same_key') return outcome;
  if (reason === 'SHUTTING_DOWN' && !receipt) return outcome;
  check(found !== undefined, 'a reply about a generation is true', describe);
  if (!found) return outcome;
  if (reason === 'IDEMPOTENCY_KEY_REUSED') {
    check(!isSameBody(found.body, body), 'a reused key is distinguished from a repeated call', describe);
    return outcome;
  }
  check(isSameBody(found.body, body), 'a reused key is distinguished from a repeated call', describe);

  // The ledger knows only the debit of a generation that an admin deleted, so this is a refusal and no replay.
  if (found.removed && reason === 'DELETED') return outcome;
  const isFinal = status === 200 || isRefund(outcome) || reason === 'DELETED';
  checkReceipt(model, found, outcome);
  if (status === 200) {
    check(
      statusesSince(found, startTick).includes('succeeded'),
      'a reply about a generation is true',
      describe,
    );
  } else if (reason === 'DELETED')
    check(found.status === 'deleted', 'a reply about a generation is true', describe);
  else if (isRefund(outcome)) {
    check(found.status === 'refunded', 'a final failure was refunded', describe);
    check(found.failure === reason, 'a reply about a generation is true', describe);
  } else {
    check(retry === 'same_key', 'a reply about a generation is true', describe);
    const wasPending = statusesSince(found, startTick).includes('pending');
    check(wasPending, 'no client waits for a generation that has ended', describe);
  }
  if (reason === 'IN_PROGRESS') {
    check(found.deadline > startedAt, 'no client waits past a deadline', describe);
    check(metadata.generationId === found.id, 'a reply about a generation is true', describe);
  }
  if (status === 500) {
    const kind = `generate image: ${reason}`;
    check((model.world.counts.get(kind) ?? 0) > 0, 'no 500 without a cause', describe);
  }
  if (isFinal) checkSameAgain(model, finals, found, outcome);
  return outcome;
}

/** True if the answer is that of a refunded generation. A broken reference fails again with any key. */
const isRefund = ({ retry, reason }: Outcome) =>
  retry === (reason === 'REFERENCE_UNREADABLE' ? 'no' : 'new_key');

/** A receipt must match an entry of the ledger, the price and the refund. */
function checkReceipt(model: Model, found: ObservedGeneration, outcome: Outcome): void {
  const { receipt, status, reason } = outcome;
  const { check } = model.world;
  const describe = () => `${found.id} ${status} ${reason}: ${JSON.stringify(receipt)}`;
  check(receipt !== undefined, 'every reply after a debit has a receipt', describe);
  if (!receipt) return;
  check(receipt.charged === found.price, 'a receipt has the price', describe);
  const refunded = isRefund(outcome) ? found.price : 0;
  check(receipt.refunded === refunded, 'a receipt has the refund', describe);
  const entry = model.account(found.uid).entries[receipt.sequence - 1];
  if (found.cached) {
    checkHitReceipt(model, found, receipt);
    return;
  }
  const type = refunded > 0 ? 'refund' : 'debit';
  // Debt that a refund paid off is one more entry.
  const isOwn = entry?.generationId === found.id && entry.type === type;
  const isPayoff = refunded > 0 && entry?.id === `${found.id}:refund:debt`;
  const isEntry = (isOwn || isPayoff) && entry?.balance === receipt.balance;
  check(isEntry, 'a receipt is an entry of the ledger', describe);
}

/** A cache hit has no entry. Its receipt has the newest entry of the account. */
function checkHitReceipt({ world, account }: Model, { uid, id }: ObservedGeneration, receipt: Receipt): void {
  const balance = receipt.sequence === 0 ? 0 : account(uid).entries[receipt.sequence - 1]?.balance;
  world.check(balance === receipt.balance, 'a receipt is an entry of the ledger', () => id);
}

/**
 * A replay must be the stored reply, word for word. A deleted success has one more final reply, and so has a failure
 * whose details were erased.
 */
function checkSameAgain(
  model: Model,
  finals: Map<string, string>,
  { id, erased }: ObservedGeneration,
  outcome: Outcome,
): void {
  const { check } = model.world;
  const { status, reason, metadata, receipt, body } = outcome;
  // A share may begin and end between two replies, and the user may mark the image.
  type Shown = { id: string; shareUrl?: string; favourite?: boolean };
  const { shareUrl: _, favourite: __, ...shown } = (body as { generation?: Shown }).generation ?? { id: '' };
  const generation = status === 200 ? shown : undefined;
  const final = JSON.stringify({
    status,
    reason,
    metadata: Object.entries(metadata).sort(),
    receipt,
    generation,
  });
  check(!generation || generation.id === id, 'one key, one generation', () => `${id}, not ${generation?.id}`);
  const isErased = erased && status !== 200 && !JSON.stringify(body).includes(modelWords);
  const name = isErased || reason === 'DELETED' ? `${id} ${reason}` : id;
  const before = finals.get(name) ?? final;
  check(before === final, 'a replay is the same reply', () => `${before}, then ${final}`);
  finals.set(name, final);
  const fresh = `${id} fresh`;
  if (outcome.isReplay) return;
  check(!finals.has(fresh), 'one call generates, all others are replays', () => id);
  finals.set(fresh, final);
}

/** A refusal must have been right at some moment during the call. */
function checkRefusal(
  model: Model,
  uid: string,
  body: Body,
  { reason, metadata }: Outcome,
  startTick: number,
  startedAt: number,
): void {
  const moments = model.since(uid, startTick);
  const { check } = model.world;
  const isJustified: Record<string, () => boolean> = {
    INSUFFICIENT_CREDITS: () =>
      Number(metadata.required) === getPrice(body) && hadTooFewCredits(moments, metadata, getPrice(body)),
    ACCOUNT_SUSPENDED: () => moments.some(({ suspended }) => suspended),
    ACCOUNT_INVALID: () => moments.some(isInvalid),
    ACCOUNT_CLOSED: () => moments.some(({ closed }) => closed),
    NOT_FOUND: () => {
      const parent = model.generations.get(body.editOf ?? '');
      if (parent?.uid !== uid || parent.removed) return true;
      // A twin from the cache has succeeded from its first moment, which may come after the call began.
      const wasMissing = (parent.history[0]?.tick ?? 0) > startTick;
      return wasMissing || statusesSince(parent, startTick).some((status) => status !== 'succeeded');
    },
    RATE_LIMITED: () => wasLimited(model, uid, metadata.limit, moments, startedAt),
  };
  check(
    isJustified[reason]?.() ?? false,
    'a refusal is justified',
    () => `${uid} ${reason} ${JSON.stringify(metadata)}`,
  );
}

/** True if the account had the balance that the refusal names, and it was too small. */
export function hadTooFewCredits(
  moments: Moment[],
  metadata: Record<string, string>,
  required: number,
): boolean {
  const balance = Number(metadata.balance);
  return moments.some(({ sum, shown }) => sum === balance && shown === sum) && balance < required;
}

/** True if the balance or `adjust` in the document cannot be applied, or the sequence is wrong. */
export function isInvalid(moment: Moment): boolean {
  if (moment.shown === undefined || moment.misnumbered) return true;
  return moment.adjust !== undefined && getApplicableAdjust(moment) === undefined;
}

function wasLimited(
  model: Model,
  uid: string,
  limit: string | undefined,
  moments: Moment[],
  startedAt: number,
): boolean {
  const { rules, generations, world } = model;
  if (limit === 'maxInFlightPerUser') return moments.some(({ pending }) => pending >= rules.maxInFlight);
  if (limit !== 'maxRefundsPerHourPerUser') return hadTooManyHolds(model, uid, startedAt);
  world.happened('answer: too many billed refunds');
  const own = [...generations.values()].filter((one) => one.uid === uid);
  return countBilledRefunds(own, startedAt - 3_600_000, world.now()) >= rules.maxRefundsPerHour;
}

/** True if the user had as many holds in some 60 s as the limit per minute allows. */
function hadTooManyHolds({ generations, rules, world }: Model, uid: string, startedAt: number): boolean {
  const mine = [...generations.values()].filter((one) => one.uid === uid && !one.cached);
  return mine.some((first) => {
    const within = mine.filter(
      ({ createdAt }) => createdAt >= first.createdAt && createdAt < first.createdAt + 60_000,
    );
    return (
      within.length >= rules.maxPerMinute &&
      first.createdAt > startedAt - 60_000 &&
      first.createdAt <= world.now()
    );
  });
}
