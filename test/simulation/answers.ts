/** Whether an answer of `generate` was right, by what the database held while it was being made. */
import type { Model } from './model.ts';
import { adjustable, type Body, type GenerationSeen, isSameBody, type Moment, prices } from './seen.ts';
import type { WireAnswer } from './wire.ts';

export type Receipt = { charged: number; refunded: number; balance: number; sequence: number };
type ErrorBody = {
  error: { code: number; status: string; details: { reason?: string; metadata?: Record<string, string> }[] };
  receipt?: Receipt;
};

/** What an answer says, in the parts that a client goes by. */
export type Said = {
  status: number;
  reason: string;
  retry: string;
  metadata: Record<string, string>;
  receipt: Receipt | undefined;
  body: unknown;
  isReplay: boolean;
};

/** The contract's table of reasons. */
const statusOf: Record<string, number> = {
  INSUFFICIENT_CREDITS: 402,
  ACCOUNT_SUSPENDED: 403,
  NOT_FOUND: 404,
  IN_PROGRESS: 409,
  ACCOUNT_INVALID: 409,
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
/** What each of these tells a client to do, always; the others depend on what became of the debit. */
const retryOf: Record<string, string> = {
  INSUFFICIENT_CREDITS: 'no',
  ACCOUNT_SUSPENDED: 'no',
  ACCOUNT_INVALID: 'no',
  NOT_FOUND: 'no',
  IN_PROGRESS: 'same_key',
  RATE_LIMITED: 'same_key',
  EXPIRED: 'new_key',
  IDEMPOTENCY_KEY_REUSED: 'new_key',
  DELETED: 'no',
};
/** Refusals before any debit: they leave no trace and do not use the key up. */
const refusals = new Set(['INSUFFICIENT_CREDITS', 'ACCOUNT_SUSPENDED', 'ACCOUNT_INVALID', 'RATE_LIMITED']);

/** Reads an answer; whatever is not in the contract's form breaks the history. */
export function read({ world: { check } }: Model, { status, headers, body }: WireAnswer): Said {
  const isReplay = headers['idempotent-replayed'] === 'true';
  if (status === 200) {
    const { receipt } = body as { receipt?: Receipt };
    return { status, reason: 'OK', retry: 'none', metadata: {}, receipt, body, isReplay };
  }
  const { error, receipt } = body as ErrorBody;
  const { reason = '', metadata = {} } = error.details[0] ?? {};
  const retry = metadata.retry ?? '';
  check(statusOf[reason] === status, 'answers are in the contract', () => `${status} ${reason}`);
  check(['same_key', 'new_key', 'no'].includes(retry), 'retry is always there', () => `${status} ${reason}`);
  const only = retryOf[reason] ?? retry;
  check(retry === only, 'retry tells what helps', () => `${reason} ${retry}`);
  return { status, reason, retry, metadata, receipt, body, isReplay };
}

export type Asked = { uid: string; key: string; body: Body };

/** The statuses that a generation had from a tick on, the one of that tick first, if it was there then. */
export function statusesSince({ history }: GenerationSeen, tick: number): string[] {
  const current = history.findLastIndex((one) => one.tick <= tick);
  return history.slice(Math.max(0, current)).map(({ status }) => status);
}

/** Checks one answer of `generate`, and that every later final one of the same call is the same. */
export function judgeGenerate(
  model: Model,
  finals: Map<string, string>,
  { uid, key, body }: Asked,
  answer: WireAnswer,
  startTick: number,
  startedAt: number,
): Said {
  const { check, happened } = model.world;
  const said = read(model, answer);
  const { status, reason, retry, receipt, metadata } = said;
  const found = model.generationAsked(uid, key);
  const about = () => `${uid} ${key}: ${status} ${reason}`;
  happened(`answer: ${reason}${said.isReplay ? ' again' : ''}`);

  if (refusals.has(reason)) {
    const wasThere = found && (found.history[0]?.tick ?? 0) <= startTick;
    check(!wasThere, 'a key that was used is replayed', about);
    check(receipt === undefined, 'a refusal has no receipt', about);
    checkRefusal(model, uid, body, said, startTick, startedAt);
    return said;
  }
  if (reason === 'DATABASE_UNAVAILABLE' && retry === 'same_key') return said;
  if (reason === 'SHUTTING_DOWN' && !receipt) return said;
  check(found !== undefined, 'what is told of a generation is true', about);
  if (!found) return said;
  if (reason === 'IDEMPOTENCY_KEY_REUSED') {
    check(!isSameBody(found.body, body), 'a reused key is told from a repeated call', about);
    return said;
  }
  check(isSameBody(found.body, body), 'a reused key is told from a repeated call', about);

  const isFinal = status === 200 || isRefund(said) || reason === 'DELETED';
  checkReceipt(model, found, said);
  if (status === 200) {
    check(
      statusesSince(found, startTick).includes('succeeded'),
      'what is told of a generation is true',
      about,
    );
  } else if (reason === 'DELETED')
    check(found.status === 'deleted', 'what is told of a generation is true', about);
  else if (isRefund(said)) {
    check(found.status === 'refunded', 'a final failure was refunded', about);
    check(found.failure === reason, 'what is told of a generation is true', about);
  } else {
    check(retry === 'same_key', 'what is told of a generation is true', about);
    const wasPending = statusesSince(found, startTick).includes('pending');
    check(wasPending, 'nobody is told to wait for what has ended', about);
  }
  if (reason === 'IN_PROGRESS') {
    check(found.deadline > startedAt, 'nobody waits past a deadline', about);
    check(metadata.generationId === found.id, 'what is told of a generation is true', about);
  }
  if (status === 500) {
    const kind = `paint: ${reason}`;
    check((model.world.counts.get(kind) ?? 0) > 0, 'no 500 without a cause', about);
  }
  if (isFinal) checkSameAgain(model, finals, found, said);
  return said;
}

/** True if the answer is that of a refunded generation. A broken reference fails again with any key. */
const isRefund = ({ retry, reason }: Said) =>
  retry === (reason === 'REFERENCE_UNREADABLE' ? 'no' : 'new_key');

/** A receipt must tell of an entry that is there, and of all that was charged and given back. */
function checkReceipt(model: Model, found: GenerationSeen, said: Said): void {
  const { receipt, status, reason } = said;
  const { check } = model.world;
  const about = () => `${found.id} ${status} ${reason}: ${JSON.stringify(receipt)}`;
  check(receipt !== undefined, 'every answer of what was debited has a receipt', about);
  if (!receipt) return;
  check(receipt.charged === found.price, 'a receipt tells the price', about);
  const refunded = isRefund(said) ? found.price : 0;
  check(receipt.refunded === refunded, 'a receipt tells what was given back', about);
  const entry = model.account(found.uid).entries[receipt.sequence - 1];
  if (found.cached) {
    checkMoment(model, found, receipt);
    return;
  }
  const type = refunded > 0 ? 'refund' : 'debit';
  const isEntry =
    entry?.generationId === found.id && entry.type === type && entry.balance === receipt.balance;
  check(isEntry, 'a receipt is an entry of the ledger', about);
}

/** What the cache gave has no entry of its own: its receipt tells the newest one of its account. */
function checkMoment({ world, account }: Model, { uid, id }: GenerationSeen, receipt: Receipt): void {
  const balance = receipt.sequence === 0 ? 0 : account(uid).entries[receipt.sequence - 1]?.balance;
  world.check(balance === receipt.balance, 'a receipt is an entry of the ledger', () => id);
}

/** The stored answer again, word for word; the deletion of a success has an answer of its own. */
function checkSameAgain(model: Model, finals: Map<string, string>, { id }: GenerationSeen, said: Said): void {
  const { check } = model.world;
  const { status, reason, metadata, receipt, body } = said;
  const generation = status === 200 ? (body as { generation: { id: string } }).generation : undefined;
  const told = JSON.stringify({
    status,
    reason,
    metadata: Object.entries(metadata).sort(),
    receipt,
    generation,
  });
  check(!generation || generation.id === id, 'one key, one generation', () => `${id}, not ${generation?.id}`);
  const name = reason === 'DELETED' ? `${id} deleted` : id;
  const before = finals.get(name) ?? told;
  check(before === told, 'the same answer again', () => `${before}, then ${told}`);
  finals.set(name, told);
  const fresh = `${id} fresh`;
  if (said.isReplay) return;
  check(!finals.has(fresh), 'one call paints, all others are replays', () => id);
  finals.set(fresh, told);
}

/** A refusal must have been right at some moment while it was being made. */
function checkRefusal(
  model: Model,
  uid: string,
  { tier }: Body,
  { reason, metadata }: Said,
  startTick: number,
  startedAt: number,
): void {
  const moments = model.since(uid, startTick);
  const { check } = model.world;
  const isRight: Record<string, () => boolean> = {
    INSUFFICIENT_CREDITS: () =>
      Number(metadata.required) === prices[tier] && hadTooLittle(moments, metadata, prices[tier] ?? 0),
    ACCOUNT_SUSPENDED: () => moments.some(({ suspended }) => suspended),
    ACCOUNT_INVALID: () => moments.some(isInvalid),
    RATE_LIMITED: () =>
      metadata.limit === 'maxInFlightPerUser'
        ? moments.some(({ pending }) => pending >= model.rules.maxInFlight)
        : hadMany(model, uid, startedAt),
  };
  check(
    isRight[reason]?.() ?? false,
    'a refusal has its reason',
    () => `${uid} ${reason} ${JSON.stringify(metadata)}`,
  );
}

/** Whether the ledger had recorded the balance that was told of, and it was too little. */
export function hadTooLittle(moments: Moment[], metadata: Record<string, string>, required: number): boolean {
  const balance = Number(metadata.balance);
  return moments.some(({ sum, shown }) => sum === balance && shown === sum) && balance < required;
}

/** Whether the console held a balance, or an addition, that cannot be applied. */
export function isInvalid(moment: Moment): boolean {
  if (moment.shown === undefined) return true;
  return moment.adjust !== undefined && adjustable(moment) === undefined;
}

function hadMany({ generations, rules, world }: Model, uid: string, startedAt: number): boolean {
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
