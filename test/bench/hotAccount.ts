/**
 * Debits of one account by many callers at once, as transactions and as the ledger commits them: batches with
 * preconditions, queued per account. Prints how many succeed per second and how many fail.
 *
 *   npm run bench -- hot --callers 32 --seconds 20
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Firestore } from '@google-cloud/firestore';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createDatabase } from '../../shared/database/firestore.ts';
import { createRetryCommit } from '../../shared/database/retryCommit.ts';

const { values } = parseArgs({
  options: { callers: { type: 'string', default: '32' }, seconds: { type: 'string', default: '20' } },
});
const callers = Number(values.callers);
const seconds = Number(values.seconds);
const project = 'demo-bench-hot';
const credits = 1_000_000;

const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-hot-'));
const program = await findFirestoreProgram(process.env);
const port = await findFreePort();
const rules = resolve(import.meta.dirname, '../../firestore.rules');
const emulator = startFirestore({
  program,
  port,
  functionsPort: await findFreePort(),
  rules,
  seed: undefined,
  runDir,
});
const host = `${loopback}:${port}`;
process.env.FIRESTORE_EMULATOR_HOST = host;
process.env.METADATA_SERVER_DETECTION = 'none';

/** Takes one credit and writes the entry. */
type Debit = (account: string) => Promise<unknown>;

const firestore = new Firestore({ projectId: project });
const asTransaction: Debit = (account) =>
  firestore.runTransaction(async (transaction) => {
    const document = firestore.doc(account);
    const balance = (await transaction.get(document)).get('balance') as number;
    transaction.update(document, { balance: balance - 1 });
    transaction.create(document.collection('entries').doc(randomUUID()), { amount: -1 });
  });

const database = createDatabase(
  parseConfig({ GOOGLE_CLOUD_PROJECT: project, FIRESTORE_EMULATOR_HOST: host }),
);
const retryCommit = createRetryCommit();
const asCommit: Debit = (account) =>
  retryCommit(account, async () => {
    const [document] = (await database.read([account])).documents;
    if (!document) throw new Error('The account is gone');
    const balance = (document.data.balance as number) - 1;
    return database.commit([
      { update: account, data: { balance }, at: document.version },
      { create: `${account}/entries/${randomUUID()}`, data: { amount: -1 } },
    ]);
  });

/** Every caller debits again as soon as its last debit ended. Waits for debits that still run at the end. */
async function measure(name: string, debit: Debit): Promise<void> {
  const account = `accounts/${name}`;
  await database.commit([{ set: account, data: { balance: credits } }]);
  let succeeded = 0;
  let failed = 0;
  const began = performance.now();
  const caller = async () => {
    while (performance.now() - began < seconds * 1_000) {
      await debit(account).then(
        () => (succeeded += 1),
        () => (failed += 1),
      );
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const perSecond = succeeded / ((performance.now() - began) / 1_000);
  const [document] = (await database.read([account])).documents;
  const lost = credits - succeeded - Number(document?.data.balance);
  process.stdout.write(
    `${name}: ${perSecond.toFixed(1)} debits a second, ${succeeded} succeeded, ${failed} failed, balance off by ${lost}\n`,
  );
}

try {
  await waitForEmulator(emulator, host, program);
  await measure('preconditions', asCommit);
  await measure('transactions', asTransaction);
} finally {
  await Promise.all([database.close(), firestore.terminate()]);
  await endChild(emulator, 2_000);
  rmSync(runDir, { recursive: true, force: true });
}
