/**
 * The steps of a closing, in their order. Each erases one part of a person page by page, and may be repeated. A further
 * collection is one more step.
 */
import type { Users } from '../auth/users.ts';
import { uidSchema } from '../contract/ids.ts';
import { inParallel } from '../core/parallel.ts';
import {
  type Data,
  type DocumentPath,
  documentPath,
  type PageRequest,
  removed,
  type StoredDocument,
  updateDocument,
  type Write,
} from '../database/database.ts';
import { toFailure } from '../errors.ts';
import { deleteGeneration, eraseWords } from '../generation/deleteGeneration.ts';
import { createOutboxItem, getLastArrival, outboxPath } from '../generation/outbox.ts';
import { generationPath, generationsPath } from '../generation/record.ts';
import { endFoundShare, endShare } from '../generation/shares.ts';
import { accountPath, parseAccount } from '../ledger/account.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import { closurePath } from '../ledger/closures.ts';
import { unchanged } from '../ledger/creditChanges.ts';
import { entriesPath } from '../ledger/entries.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Documents of one page. The writes of a page are one commit, of far fewer than Firestore's limit. */
const pageSize = 50;
/** Generations that are deleted at once. */
const parallelMax = 8;

export type ClosingContext = {
  ledger: Ledger;
  /** Undefined where there are no users to delete. */
  users: Users | undefined;
  /** A user's customers at Stripe. */
  findCustomers(uid: string): Promise<string[]>;
  /** Ends a customer's open checkouts at Stripe, and deletes the customer. */
  deleteCustomer(customer: string): Promise<void>;
  uid: string;
  /** The last document that the step has handled. */
  after: string | undefined;
};

/**
 * What a page of a step has found. `waits`: nothing can be done yet. Otherwise `writes` are committed with the step's
 * progress; without `after` the step is done.
 */
export type StepOutcome = 'waits' | { writes?: Write[]; after?: string | undefined };

export type ClosingStep = { name: string; run(context: ClosingContext): Promise<StepOutcome> };

export const closingSteps: readonly ClosingStep[] = [
  { name: 'generations', run: (context) => eraseGenerations(context) },
  // A hold that had read the account before it closed may have added a twin of an image behind the page that was read. All
  // that have an image are deleted now, so no further one can come.
  { name: 'twins', run: (context) => eraseGenerations(context, [['status', '==', 'succeeded']]) },
  // Those of generations that an admin has deleted or spoilt in the console.
  eraseEach(
    'shares',
    (uid) => ({ collection: 'shares', where: [['uid', '==', uid]] }),
    (share, { now }) => endFoundShare(share, now).writes,
  ),
  eraseEach('entries', (uid) => ({ collection: entriesPath(uid) }), eraseEntry),
  eraseEach('grants', (uid) => ({ collection: 'grants', where: [['uid', '==', uid]] }), eraseText),
  eraseEach(
    'adminActions',
    (uid) => ({ collection: 'adminActions', where: [['uid', '==', uid]] }),
    eraseText,
  ),
  eraseEach('takedowns', (uid) => ({ collection: 'takedowns', where: [['uid', '==', uid]] }), eraseText),
  eraseEach(
    'enhancements',
    (uid) => ({ collection: `accounts/${uid}/enhancements` }),
    ({ path }) => [{ delete: path }],
  ),
  // What others wrote about the person's images.
  eraseEach('reports', (uid) => ({ collection: 'reports', where: [['uid', '==', uid]] }), eraseReport),
  { name: 'customers', run: deleteCustomers },
  { name: 'account', run: eraseAccount },
  { name: 'user', run: deleteUser },
];

/** A step that erases each document of a query. */
function eraseEach(
  name: string,
  query: (uid: string) => Pick<PageRequest, 'collection' | 'where'>,
  erase: (document: StoredDocument, context: Pick<ClosingContext, 'uid'> & { now: Date }) => Write[],
): ClosingStep {
  return {
    name,
    async run(context) {
      const { documents, readTime: now } = await readPage(context, query(context.uid));
      const writes = documents.flatMap((document) => erase(document, { uid: context.uid, now }));
      return { writes, after: getCursor(documents) };
    },
  };
}

const readPage = ({ ledger, after }: ClosingContext, query: Pick<PageRequest, 'collection' | 'where'>) =>
  ledger.database.page({
    ...query,
    orderBy: [['__name__', 'asc']],
    ...(after !== undefined && { after: [after] }),
    limit: pageSize,
  });

/** The document after which the next page begins; undefined after the last page. */
const getCursor = (documents: readonly StoredDocument[]) =>
  documents.length < pageSize ? undefined : documents.at(-1)?.id;

/**
 * Deletes the images and words of a page of generations. One that still runs is settled or refunded first, as usual; an
 * overdue one is refunded here.
 */
async function eraseGenerations(
  context: ClosingContext,
  where?: NonNullable<PageRequest['where']>,
): Promise<StepOutcome> {
  const { ledger, uid } = context;
  const query = { collection: generationsPath(uid), ...(where && { where }) };
  const { documents } = await readPage(context, query);
  const writes: Write[] = [];
  let isRunning = false;
  await inParallel(documents, parallelMax, async (document) => {
    try {
      const { record } = await deleteGeneration(ledger, uid, document.id, false);
      if (record.removedReason === undefined) return;
      // What the studio wrote of an image that it removed.
      writes.push(updateDocument(generationPath(uid, record.id), { removedReason: removed }, record.version));
    } catch (error) {
      const { reason } = toFailure(error);
      isRunning ||= reason === 'IN_PROGRESS';
      // An admin may have deleted its document.
      if (reason === 'IN_PROGRESS' || reason === 'NOT_FOUND') return;
      if (reason !== 'ACCOUNT_INVALID') throw error;
      writes.push(...(await eraseSpoilt(ledger, document)));
    }
  });
  return isRunning ? 'waits' : { writes, after: getCursor(documents) };
}

/** Erases a generation that an admin has spoilt so that it cannot be deleted, as far as its fields can be read. */
async function eraseSpoilt(
  { database }: Ledger,
  { path, id, data, version }: StoredDocument,
): Promise<Write[]> {
  const fields: DocumentPath<Data> = documentPath(path);
  const { publicId, deadline, status, shareToken } = data;
  const uid = path.split('/')[1] ?? '';
  const { documents, readTime: now } = await database.read([outboxPath(id)]);
  const share = endShare(
    { uid, id, shareToken: typeof shareToken === 'string' ? shareToken : undefined },
    now,
  );
  const erased = { ...eraseWords({ failure: null }), image: null, removedReason: removed, ...share.own };
  // The sweep keeps an image that a succeeded generation shows.
  const ended = status === 'succeeded' ? { status: 'deleted' } : {};
  const writes = [updateDocument(fields, { ...erased, ...ended }, version), ...share.writes];
  if (typeof publicId !== 'string' || documents[0]) return writes;
  const until = deadline instanceof Date ? getLastArrival({ deadline }) : now;
  return [
    ...writes,
    createOutboxItem({ generationId: id, uid, publicId, createdAt: now, dueAt: now, until }),
  ];
}

/**
 * Erases the free texts of an entry. Amounts, times and ids stay: this is the only change that an entry ever sees. The
 * reason of a refund is one of the API's, and that of the signup credits is fixed.
 */
function eraseEntry(
  { id, path, data, version }: StoredDocument,
  { uid }: Pick<ClosingContext, 'uid'>,
): Write[] {
  const hasText = data.reason !== undefined && data.type !== 'refund' && id !== 'signup';
  const isOwn = isOwnActor(data.actor, uid);
  if (!hasText && !isOwn) return [];
  const fields: DocumentPath<Data> = documentPath(path);
  return [
    updateDocument(fields, { ...(hasText && { reason: removed }), ...(isOwn && { actor: uid }) }, version),
  ];
}

/** Erases the reason that an admin wrote, and the address of the person if they were the admin. */
function eraseText({ path, data, version }: StoredDocument, { uid }: Pick<ClosingContext, 'uid'>): Write[] {
  const isOwn = isOwnActor(data.actor, uid);
  if (data.reason === '' && !isOwn) return [];
  const fields: DocumentPath<Data> = documentPath(path);
  return [updateDocument(fields, { reason: '', ...(isOwn && { actor: uid }) }, version)];
}

/** True if an actor is the person, with their address: `uid (ada@example.com)`. */
const isOwnActor = (actor: unknown, uid: string) => typeof actor === 'string' && actor.startsWith(`${uid} (`);

/**
 * Erases what the account says of the person, and every field that an admin has added. If an admin has deleted the account,
 * its next use creates it closed. If an admin has made it again by hand, it was open in between: the same commit
 * closes it and lets the closing begin again, so that the progress of this step is rejected.
 */
async function eraseAccount({ ledger, uid }: ClosingContext): Promise<StepOutcome> {
  const path = closurePath(uid);
  await changeAccount<undefined>(ledger, uid, {
    reads: () => [path],
    missing: { answer: undefined },
    takesInvalid: true,
    decide({ account, documents, now }) {
      const closure = documents.get(path);
      const mustBeginAgain = account.closedAt === undefined && closure;
      return {
        change: unchanged({
          ...account,
          closedAt: account.closedAt ?? now,
          email: undefined,
          note: undefined,
          strayFields: [],
          active: {},
          rate: [],
        }),
        writes: mustBeginAgain ? [updateDocument(path, { step: '', after: null }, closure.version)] : [],
        answer: () => undefined,
      };
    },
  });
  return {};
}

/** Deletes the customers that the account names, and those that it has lost: an admin may have deleted its document. */
async function deleteCustomers({
  ledger,
  uid,
  findCustomers,
  deleteCustomer,
}: ClosingContext): Promise<StepOutcome> {
  const { documents } = await ledger.database.read([accountPath(uid)]);
  const [document] = documents;
  const named = document ? parseAccount(document).customers : [];
  for (const customer of new Set([...named, ...(await findCustomers(uid))])) await deleteCustomer(customer);
  return {};
}

/** Erases the words of a report, and the address of the person if they were the admin who closed it. */
function eraseReport({ path, data, version }: StoredDocument, { uid }: Pick<ClosingContext, 'uid'>): Write[] {
  const isOwn = isOwnActor(data.resolvedBy, uid);
  if (data.details === undefined && !isOwn) return [];
  const fields: DocumentPath<Data> = documentPath(path);
  return [updateDocument(fields, { details: removed, ...(isOwn && { resolvedBy: uid }) }, version)];
}

/** Deletes the user last, so that they can sign in as long as anything is left. No user has any other uid. */
async function deleteUser({ users, uid }: ClosingContext): Promise<StepOutcome> {
  if (uidSchema.safeParse(uid).success) await users?.remove(uid);
  return {};
}
