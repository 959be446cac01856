/** The closing of an account: what comes after its first commit. */
import { type StoredDocument, updateDocument } from '../database/database.ts';
import { forEachDocument } from '../database/forEachDocument.ts';
import { closurePath, closuresPath, parseClosure } from '../ledger/closures.ts';
import type { Services } from '../services.ts';
import { type ClosingContext, closingSteps } from './closingSteps.ts';

const pageSize = 100;

/** What a closing needs. */
export type Closer = Omit<ClosingContext, 'uid' | 'after'>;

/** The parts of a closing. `users` are undefined where there are none to delete. */
export const createCloser = async (services: Services): Promise<Closer> => ({
  ledger: await services.ledger(),
  users: await services.users(),
  findCustomers: async (uid) =>
    (await services.payments())?.stripe.findCustomers({ uid, project: services.config.projectId }) ?? [],
  deleteCustomer: async (customer) => (await services.payments())?.stripe.deleteCustomer(customer),
});

/**
 * Goes on with a closing while time is left. Each page of a step ends with one commit of its progress, and the next call goes on
 * from there. If two calls work at once, one commits and the other reads again.
 * @throws {Failure} DATABASE_UNAVAILABLE, AUTH_UNAVAILABLE: the sweep goes on later.
 */
export async function continueClosing(
  closer: Closer,
  uid: string,
  mayContinue: () => boolean,
): Promise<'closing' | 'closed'> {
  for (;;) {
    const outcome = await runPage(closer, uid);
    if (outcome === 'closed') return 'closed';
    if (outcome === 'waits' || !mayContinue()) return 'closing';
  }
}

/** Runs one page of the step that comes next. */
function runPage(closer: Closer, uid: string): Promise<'closed' | 'closing' | 'waits'> {
  const { database, retryCommit, log } = closer.ledger;
  return retryCommit(undefined, async () => {
    const { documents, readTime: now } = await database.read([closurePath(uid)]);
    const [document] = documents;
    const closure = document && parseClosure(document);
    // Nothing to do either if an admin has deleted the document.
    if (!document || closure?.status !== 'closing') return 'closed';
    // A step of another version, or none: the first one.
    const index = Math.max(
      0,
      closingSteps.findIndex(({ name }) => name === closure.step),
    );
    const step = closingSteps[index];
    const outcome = await step?.run({ ...closer, uid, after: closure.after ?? undefined });
    if (!outcome || outcome === 'waits') return 'waits';
    const { writes = [], after } = outcome;
    const next = after === undefined ? closingSteps[index + 1] : step;
    await database.commit([
      updateDocument(
        closurePath(uid),
        {
          ...(next ? { step: next.name } : { status: 'closed' }),
          after: after ?? null,
          updatedAt: now,
        },
        document.version,
      ),
      ...writes,
    ]);
    if (next) return 'closing';
    log.info('An account is closed', { event: 'account_closed', uid, cause: closure.cause });
    return 'closed';
  });
}

/** How long a closing may take, milliseconds: a day. Then something is in its way. */
const closingMsMax = 86_400_000;

/**
 * Goes on with every closing that has stopped.
 * @param now milliseconds since 1970.
 * @returns how many were finished.
 */
export async function sweepClosures(
  closer: Closer,
  now: number,
  mayContinue: () => boolean,
): Promise<number> {
  const { ledger } = closer;
  let closed = 0;
  const scan = {
    query: {
      collection: closuresPath,
      where: [['status', '==', 'closing']] as const,
      orderBy: [['__name__', 'asc']] as const,
    },
    cursor: ({ id }: StoredDocument) => [id],
    pageSize,
    mayContinue,
  };
  await forEachDocument(ledger, scan, async (document) => {
    if (!mayContinue()) return;
    const { id: uid } = document;
    const { step, createdAt } = parseClosure(document);
    if (now - Number(createdAt) > closingMsMax) {
      ledger.log.warning('An account is not closed yet', { event: 'closing_overdue', uid, step });
    }
    if ((await continueClosing(closer, uid, mayContinue)) === 'closed') closed += 1;
  });
  return closed;
}
