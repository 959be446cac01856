/** Scheduled functions: how long one call works, and where the next call continues. */
import type { Clock } from '../core/clock.ts';
import type { Log, RequestLog } from '../core/log.ts';
import {
  type DocumentPath,
  documentPath,
  isDocumentId,
  serverTime,
  setDocument,
  type Unparsed,
} from './database.ts';
import type { Reader } from './pages.ts';

/** The deployed timeout of a scheduled function, milliseconds. */
export const jobTimeoutMs = 300_000;
/** The share of its timeout for which a call works, so that it can still answer. */
const workingShare = 0.8;

/** Returns a function that is true while a call that begins now may take on more work. */
export function createWorkingTime(clock: Clock): () => boolean {
  const until = clock.elapsed() + workingShare * jobTimeoutMs;
  return () => clock.elapsed() < until;
}

/** The fields of `jobs/{name}`. */
type JobData = {
  /** The id of the last document that was handled; null after a complete run. */
  after: string | null;
  updatedAt: Date;
};

export const jobPath = (name: string): DocumentPath<JobData> => documentPath(`jobs/${name}`);

/** Where the last call of a job stopped; undefined after a complete run, or if the cursor is not an id any more. */
export async function readCursor(
  { database, retryCommit }: Reader,
  name: string,
): Promise<string | undefined> {
  const { documents } = await retryCommit(undefined, () => database.read([jobPath(name)]));
  const { after }: Unparsed<JobData> = documents[0]?.data ?? {};
  return typeof after === 'string' && isDocumentId(after) ? after : undefined;
}

/** Records where a job stopped; undefined: it is complete. If two calls run at once, either cursor is correct. */
export async function writeCursor(
  { database, retryCommit }: Reader,
  name: string,
  after: string | undefined,
): Promise<void> {
  const cursor = setDocument(jobPath(name), { after: after ?? null, updatedAt: serverTime });
  await retryCommit(undefined, () => database.commit([cursor]));
}

/** The fields of `jobs/{name}.finished`. */
type FinishedJobData = { finishedAt: Date };

/**
 * The scheduled functions, in the order in which the desk shows them, and after how many minutes without a complete run each
 * is late.
 */
export const lateAfterMinutes = {
  sweepHolds: 10,
  // A day and half an hour. Cloud Monitoring looks back for 25 hours at most.
  reconcile: 1_470,
  reconcilePayments: 150,
  checkQuota: 50,
  refillAllowances: 150,
} as const;
export type JobName = keyof typeof lateAfterMinutes;

const finishedPath = (name: string): DocumentPath<FinishedJobData> => documentPath(`jobs/${name}.finished`);

/**
 * Ends a call of a job. A call that ends while time is left has handled everything: this is recorded, and logged for the
 * alerts.
 */
export async function finishJob(
  { database, retryCommit, log }: Reader & { log: Log },
  name: JobName,
  requestLog: RequestLog,
  mayContinue: () => boolean,
): Promise<void> {
  if (!mayContinue()) return;
  requestLog.add({ event: 'job_finished' });
  const finished = setDocument(finishedPath(name), { finishedAt: serverTime });
  await retryCommit(undefined, () => database.commit([finished])).catch((error) =>
    log.warning('The end of a job could not be recorded', { job: name, error }),
  );
}

/** When each of these jobs last handled everything, and whether that is too long ago. */
export async function readFinishedJobs({ database, retryCommit }: Reader, names: readonly JobName[]) {
  const { documents, readTime } = await retryCommit(undefined, () => database.read(names.map(finishedPath)));
  return names.map((name, i) => {
    const data: Unparsed<FinishedJobData> = documents[i]?.data ?? {};
    const finishedAt = data.finishedAt instanceof Date ? data.finishedAt : undefined;
    const lateFrom = readTime.getTime() - lateAfterMinutes[name] * 60_000;
    return {
      name,
      finishedAt: finishedAt?.toISOString() ?? null,
      late: finishedAt !== undefined && finishedAt.getTime() < lateFrom,
    };
  });
}
