/**
 * Compares what Stripe says with the ledger, and records what a lost webhook left out. What was credited and never paid is
 * reported; nobody's credits are taken for it.
 */
import * as z from 'zod';
import { inParallel } from '../core/parallel.ts';
import { longQueryMs, type StoredDocument } from '../database/database.ts';
import { readCursor, writeCursor } from '../database/jobs.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { Failure } from '../errors.ts';
import { purchaseSchema } from '../ledger/purchaseRules.ts';
import {
  handleDispute,
  handledEventTypes,
  handleEvent,
  handleRefund,
  handleSession,
  type PaymentContext,
  type PaymentOutcome,
} from './events.ts';
import type { List, ListRequest } from './stripe.ts';

/** How far back a run looks, milliseconds. Stripe delivers an event for three days. */
const lookBackMs = 4 * 86_400_000;
/** How long a session stays open before it is paid, milliseconds. */
const openMs = 86_400_000;
/** Objects of one page that are handled at once: Stripe limits the calls of a second. */
const parallelMax = 4;
const purchasesPerPage = 100;
const job = 'reconcilePayments';

export type BrokenPayment = { object: string; uid: string | null; problem: string };
export type Reconciled = { checked: number; healed: number; broken: BrokenPayment[] };

const stages = ['sessions', 'refunds', 'disputes', 'events', 'purchases'] as const;
/** Where a run stopped: a stage, and the last object of it that was handled. */
const cursorSchema = z.object({ stage: z.enum(stages), after: z.string().optional() });
type Cursor = z.infer<typeof cursorSchema>;

/** One page: its objects, each with what handles it, and the cursor of the next page. */
type Page = {
  objects: { id: string; handle: () => Promise<PaymentOutcome | undefined> }[];
  next: string | undefined;
};

/**
 * Works through all stages while time is left. The next call continues where this one stopped.
 * @throws {Failure} PAYMENTS_UNAVAILABLE, DATABASE_UNAVAILABLE.
 */
export async function reconcilePayments(
  context: PaymentContext,
  now: Date,
  mayContinue: () => boolean,
): Promise<Reconciled> {
  const { ledger, log } = context;
  const counts = { checked: 0, healed: 0 };
  const broken = new Map<string, BrokenPayment>();
  const since = new Date(now.getTime() - lookBackMs);

  async function check({ id, handle }: Page['objects'][number]): Promise<void> {
    counts.checked += 1;
    try {
      const outcome = await handle();
      if (outcome?.recorded?.status === 'recorded') counts.healed += 1;
      const { sessionId: object = id, uid = null, problem } = outcome ?? {};
      if (problem) broken.set(object, { object, uid, problem });
    } catch (error) {
      if (error instanceof Failure && error.reason === 'PAYMENTS_UNAVAILABLE') {
        // The next run asks again.
        const cause = String(error.details.cause);
        log.warning('Stripe does not answer', { event: 'payments_unavailable', job, object: id, cause });
        return;
      }
      log.error('A job could not handle a payment', { job, object: id, error });
      broken.set(id, { object: id, uid: null, problem: 'could not be handled; the log says why' });
    }
  }

  let cursor: Cursor | undefined = parseCursor(await readCursor(ledger, job)) ?? { stage: stages[0] };
  while (cursor && mayContinue()) {
    const { stage, after }: Cursor = cursor;
    const page: Page = await readStage(context, stage, { createdSince: since, after }).catch(
      async (error) => {
        // A cursor that Stripe does not know must not stop every later run.
        if (!(error instanceof Failure)) await writeCursor(ledger, job, undefined);
        throw error;
      },
    );
    await inParallel(page.objects, parallelMax, check);
    cursor = page.next === undefined ? toNextStage(stage) : { stage, after: page.next };
    await writeCursor(ledger, job, cursor && formatCursor(cursor));
  }
  return { ...counts, broken: [...broken.values()] };
}

function toNextStage(stage: Cursor['stage']): Cursor | undefined {
  const next = stages[stages.indexOf(stage) + 1];
  return next && { stage: next };
}

const formatCursor = (cursor: Cursor) => Buffer.from(JSON.stringify(cursor)).toString('base64url');

function parseCursor(text: string | undefined): Cursor | undefined {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text ?? '', 'base64url').toString()));
  } catch {
    return undefined;
  }
}

async function readStage(
  context: PaymentContext,
  stage: Cursor['stage'],
  request: ListRequest,
): Promise<Page> {
  const { stripe } = context;
  const { createdSince } = request;
  switch (stage) {
    case 'sessions': {
      const opened = { ...request, createdSince: new Date(createdSince.getTime() - openMs) };
      return toPage(await stripe.listSessions(opened), (session) => handleSession(context, session));
    }
    case 'refunds':
      return toPage(await stripe.listRefunds(request), (refund) => handleRefund(context, refund));
    case 'disputes':
      return toPage(await stripe.listDisputes(request), (dispute) => handleDispute(context, dispute));
    case 'events':
      return toPage(await stripe.listEvents(handledEventTypes, request), (event) =>
        handleEvent(context, event),
      );
    case 'purchases':
      return readPurchases(context, request);
  }
}

const toPage = <T extends { id: string }>(
  { items, hasMore }: List<T>,
  handle: (item: T) => Promise<PaymentOutcome | undefined>,
): Page => ({
  objects: items.map((item) => ({ id: item.id, handle: () => handle(item) })),
  next: hasMore ? items.at(-1)?.id : undefined,
});

/** The purchases of the time, oldest first, to find those that were credited and never paid. */
async function readPurchases(context: PaymentContext, { createdSince, after }: ListRequest): Promise<Page> {
  const { database, retryCommit } = context.ledger;
  const request = {
    collection: 'purchases',
    group: true,
    where: [['createdAt', '>=', createdSince]] as const,
    orderBy: [
      ['createdAt', 'asc'],
      ['__name__', 'asc'],
    ] as const,
    ...(after !== undefined && { after: parsePurchaseCursor(after) }),
    limit: purchasesPerPage,
    timeoutMs: longQueryMs,
  };
  const { documents } = await retryCommit(undefined, () => database.page(request));
  const last = documents.length === purchasesPerPage ? documents.at(-1) : undefined;
  return {
    objects: documents.map((document) => ({
      id: document.id,
      handle: () => checkPurchase(context, document),
    })),
    next: last && JSON.stringify([last.data.createdAt, last.path]),
  };
}

function parsePurchaseCursor(text: string): unknown[] {
  const [createdAt, path] = z.tuple([z.coerce.date(), z.string()]).parse(JSON.parse(text));
  return [createdAt, path];
}

async function checkPurchase(
  { stripe, log }: PaymentContext,
  document: StoredDocument,
): Promise<PaymentOutcome | undefined> {
  const uid = document.path.split('/')[1] ?? null;
  parseDocument(purchaseSchema, document);
  const session = await stripe.findSession(document.id);
  if (session && session.payment_status !== 'unpaid') return undefined;
  log.error('A purchase was credited, but Stripe has no payment for it', {
    event: 'payment_broken',
    uid,
    sessionId: document.id,
  });
  return { uid, problem: 'credited, but not paid' };
}
