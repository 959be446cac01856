/**
 * `npm run erase-again`: after a backup was restored, erases once more what the erasure log says. It writes only the first
 * commit of each erasure; the sweep does the rest. It may be repeated.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { parseConfig } from '../shared/config/config.ts';
import { createLog } from '../shared/core/log.ts';
import { createErasureLog } from '../shared/erasures/erasureLog.ts';
import type { Erasure } from '../shared/erasures/erasures.ts';
import { Failure } from '../shared/errors.ts';
import { deleteGeneration } from '../shared/generation/deleteGeneration.ts';
import { beginClosing } from '../shared/ledger/beginClosing.ts';
import type { Ledger } from '../shared/ledger/ledger.ts';
import { createServices } from '../shared/services.ts';
import { keepRemovedHash, removeImage } from '../shared/sharing/takedown.ts';
import { toErasureBucket } from './deploy/manifest.ts';
import { parseWords } from './parseWords.ts';

const usage = `npm run erase-again -- --project PROJECT
  --since TIME   begin at this time (RFC 3339); by default with the first erasure in the log`;

/** How each kind is erased. Each resolves to false if there is nothing to erase. */
const erase: Record<Erasure['kind'], (ledger: Ledger, erasure: Erasure) => Promise<boolean>> = {
  closing: async (ledger, { uid }) => (await beginClosing(ledger, uid)) !== undefined,
  deletion: (ledger, { uid, generationId = '' }) => isErased(deleteGeneration(ledger, uid, generationId)),
  takedown: takeDownAgain,
};

/** The log has no reasons: they are words about a person. */
const removedBefore = 'Removed before a backup was restored';

async function takeDownAgain(ledger: Ledger, { uid, generationId = '', imageHash, at }: Erasure) {
  const request = { uid, generationId, reason: removedBefore };
  const isRemoved = await isErased(removeImage(ledger, request, 'erase-again', imageHash));
  // An image that is newer than the backup could still come back as a reference.
  if (!isRemoved && imageHash) await keepRemovedHash(ledger, imageHash, { ...request, createdAt: at });
  return isRemoved || imageHash !== undefined;
}

async function isErased(erasure: Promise<unknown>): Promise<boolean> {
  try {
    await erasure;
    return true;
  } catch (error) {
    if (error instanceof Failure && error.reason === 'NOT_FOUND') return false;
    throw error;
  }
}

/**
 * Erases again, in the order of the log.
 * @param report is called with each erasure that fails; the others follow.
 * @returns how many erasures the log has, and how many of them failed.
 */
export async function eraseAgain(
  ledger: Ledger,
  erasures: AsyncIterable<Erasure>,
  report: (erasure: Erasure, error: unknown) => void,
): Promise<{ read: number; missing: number; failed: number }> {
  const counts = { read: 0, missing: 0, failed: 0 };
  for await (const erasure of erasures) {
    counts.read += 1;
    try {
      if (!(await erase[erasure.kind](ledger, erasure))) counts.missing += 1;
    } catch (error) {
      counts.failed += 1;
      report(erasure, error);
    }
  }
  return counts;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const options = { project: text, since: text, help: { type: 'boolean' } } as const;
  const { values } = parseWords(usage, () => parseArgs({ options }));
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const project = values.project ?? process.env.GOOGLE_CLOUD_PROJECT;
  const since = new Date(values.since ?? 0);
  if (!project || Number.isNaN(since.getTime())) throw new Error(usage);
  const env = { ERASURE_LOG_BUCKET: toErasureBucket(project), ...process.env, GOOGLE_CLOUD_PROJECT: project };
  const config = parseConfig(env);
  const services = createServices(
    config,
    createLog(() => {}),
    new AbortController().signal,
  );
  const ledger = await services.ledger();
  const log = createErasureLog(config.erasureLog ?? '', fetchUserToken);
  const { read, missing, failed } = await eraseAgain(ledger, log.read(since), ({ kind, uid }, error) => {
    process.stderr.write(`${kind} of ${uid}: ${(error as Error).message}\n`);
  });
  await ledger.database.close();
  process.stdout.write(
    `${read} erasures in the log: ${missing} have nothing left to erase, ${failed} failed. The sweep finishes the rest within minutes.\n`,
  );
  if (failed > 0) process.exitCode = 1;
}

/** The same credentials that Firestore's client uses: `gcloud auth application-default login`. */
async function fetchUserToken(): Promise<string> {
  const { stdout } = await promisify(execFile)('gcloud', [
    'auth',
    'application-default',
    'print-access-token',
  ]);
  return stdout.trim();
}

if (import.meta.main) {
  await main().catch((error) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  });
}
