/** A connection that dies without a word costs a caller one call, and no caller its retries. */
import { afterEach, expect, it } from 'vitest';
import { parseConfig } from '../../../shared/config/config.ts';
import type { Database } from '../../../shared/database/database.ts';
import { createDatabase } from '../../../shared/database/firestore.ts';
import { type CallLimits, callLimitsDefault } from '../../../shared/database/firestoreClient.ts';
import { createRetryCommit, retryMsMax } from '../../../shared/database/retryCommit.ts';
import { startFreezingProxy } from '../../support/freezingProxy.ts';
import { startGrpcServer } from '../../support/grpcServer.ts';

const projectId = 'demo-connection';
const unavailable = 14;
const document = `projects/${projectId}/databases/(default)/documents/a/b`;
/** What Firestore answers of a document that does not exist, and of a query without results: the time. */
const answers: Record<string, Buffer> = {
  // BatchGetDocumentsResponse: `missing` is field 2 and `read_time` field 4.
  BatchGetDocuments: Buffer.from([0x12, document.length, ...Buffer.from(document), 0x22, 0]),
  // RunQueryResponse: `read_time` is field 3.
  RunQuery: Buffer.from([0x1a, 0]),
};

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

/** A database behind a proxy. */
async function startDatabase(limits: CallLimits) {
  const server = await startGrpcServer({ message: (method) => answers[method] ?? Buffer.alloc(0) });
  const proxy = await startFreezingProxy(server.host);
  const env = { GOOGLE_CLOUD_PROJECT: projectId, FIRESTORE_EMULATOR_HOST: proxy.host };
  const database = createDatabase(parseConfig(env), limits);
  closes.push(server.close, proxy.close, () => database.close());
  return { server, proxy, database };
}

const read = (database: Database) => database.read(['a/b']);
const page = (database: Database, timeoutMs?: number) =>
  database.page({
    collection: 'a',
    orderBy: [['n', 'asc']],
    limit: 1,
    ...(timeoutMs && { timeoutMs }),
  });

it('leaves time for a second call, on a new connection, within the time of a retried commit', () => {
  const { callMs, connectMs } = callLimitsDefault;
  expect(callMs).toBeLessThanOrEqual(3_000);
  expect(callMs + connectMs).toBeLessThan(retryMsMax);
});

it('asks again over a new connection', async () => {
  const { proxy, database } = await startDatabase({ callMs: 300, connectMs: 10_000 });
  await read(database);
  proxy.freeze();
  const retryCommit = createRetryCommit();
  expect((await retryCommit('ann', () => read(database))).documents).toEqual([undefined]);
  expect(proxy.connections()).toBe(2);
});

it('is found by keep-alive pings, long before a call gives up', async () => {
  const keepAlive = { everyMs: 500, timeoutMs: 500 };
  const { proxy, database } = await startDatabase({ callMs: 600_000, connectMs: 600_000, keepAlive });
  await read(database);
  proxy.freeze();
  await expect(read(database)).rejects.toMatchObject({ code: unavailable });
  expect((await read(database)).documents).toEqual([undefined]);
  expect(proxy.connections()).toBe(2);
});

it('gives the first call of a connection time to connect', async () => {
  const { server, database } = await startDatabase({ callMs: 50, connectMs: 10_000 });
  server.delay(200);
  expect((await read(database)).documents).toEqual([undefined]);
  await expect(read(database)).rejects.toThrow();
});

it('gives a query over many documents the time that it names', async () => {
  const { server, database } = await startDatabase({ callMs: 50, connectMs: 10_000 });
  expect((await page(database)).documents).toEqual([]);
  server.delay(200);
  expect((await page(database, 10_000)).documents).toEqual([]);
  await expect(page(database)).rejects.toThrow();
});
