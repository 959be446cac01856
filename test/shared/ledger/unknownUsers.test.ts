/** Accounts of nobody: `reconcile` and the log name those whose uid Firebase Authentication does not know. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import type { Audit } from '../../../shared/contract.ts';
import { accountEvent } from '../../simulation/wire.ts';
import { createMemoryServices } from '../../support/memoryServices.ts';

/** A fake of accounts:lookup. It knows these users. */
let known: Set<string>;
let lookups: string[][];
let status = 200;
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { localId } = JSON.parse(Buffer.concat(chunks).toString()) as { localId: string[] };
  lookups.push(localId);
  const users = localId.filter((uid) => known.has(uid)).map((uid) => ({ localId: uid }));
  response.writeHead(status).end(JSON.stringify(users.length > 0 ? { users } : {}));
});
let env: Record<string, string>;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  env = { FIREBASE_AUTH_EMULATOR_HOST: `127.0.0.1:${(server.address() as AddressInfo).port}` };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [known, lookups, status] = [new Set(), [], 200];
});

const difference = 'Firebase Authentication knows no such user';
const findUnknown = ({ lines }: { lines: Record<string, unknown>[] }) =>
  lines.filter(({ event }) => event === 'account_unknown_user');

async function reconcile(accounts: Record<string, object>, environment = env) {
  const { store, call, lines } = createMemoryServices({ env: environment });
  const paths = Object.entries(accounts);
  store.commit(paths.map(([uid, data]) => ({ create: `accounts/${uid}`, data: { ...data } })));
  const answer = await call('reconcile', { as: 'scheduler', body: {} });
  expect(answer.status).toBe(200);
  return { lines, body: answer.body as { checked: number; adjusted: number; broken: Audit[] } };
}

it('reconcile reports an account of nobody, as a warning with its uid', async () => {
  known.add('ann');
  const { body, lines } = await reconcile({ ann: { balance: 10 }, mistyped: { balance: 500 } });
  expect(body).toMatchObject({ checked: 2, adjusted: 2 });
  expect(body.broken).toMatchObject([
    { uid: 'mistyped', ok: false, balance: 500, differences: [difference] },
  ]);
  expect(findUnknown({ lines })).toMatchObject([{ severity: 'WARNING', uid: 'mistyped' }]);
  expect(lines.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
});

it('an account that does not add up either is reported once, with every difference', async () => {
  const { body } = await reconcile({ mistyped: { balance: 5, settled: 5, sequence: 1 } });
  expect(body.broken).toHaveLength(1);
  expect(body.broken[0]?.differences.length).toBeGreaterThan(1);
  expect(body.broken[0]?.differences).toContain(difference);
});

it('users are looked up by the hundred', async () => {
  const uids = Array.from({ length: 230 }, (_, i) => `user-${i}`);
  known = new Set(uids);
  const { body } = await reconcile(Object.fromEntries(uids.map((uid) => [uid, { balance: 1 }])));
  expect(body).toEqual({ checked: 230, adjusted: 230, broken: [] });
  expect(lookups.map(({ length }) => length)).toEqual([100, 100, 30]);
  expect(new Set(lookups.flat()).size).toBe(230);
});

it('a uid that no user can have is unknown, and does not spoil the look-up of the others', async () => {
  const impossible = 'x'.repeat(129);
  known.add('ann');
  const { body } = await reconcile({ ann: { balance: 1 }, [impossible]: { balance: 1 } });
  expect(body.broken.map(({ uid }) => uid)).toEqual([impossible]);
  expect(lookups).toEqual([['ann']]);
});

it('a look-up that fails stops nothing, and is logged', async () => {
  status = 500;
  const { body, lines } = await reconcile({
    ann: { balance: 1 },
    bob: { balance: 5, settled: 5, sequence: 1 },
  });
  expect(body.checked).toBe(2);
  expect(body.broken.map(({ uid }) => uid)).toEqual(['bob']);
  expect(lines).toContainEqual(expect.objectContaining({ severity: 'WARNING', event: 'auth_unavailable' }));
  expect(findUnknown({ lines })).toEqual([]);
});

it('nobody is looked up where there is no Firebase Authentication', async () => {
  const { body } = await reconcile({ ann: { balance: 1 } }, {});
  expect(body.broken).toEqual([]);
});

it.each<[object]>([[{ balance: 500 }], [{ adjust: 5 }], [{ suspended: true }], [{ allowance: 9 }]])(
  'the event of an account made with only %j names it at once if it is of nobody',
  async (after) => {
    known.add('ann');
    const services = createMemoryServices({ env });
    const accountWritten = functions.accountWritten;
    if (!accountWritten || !('event' in accountWritten)) throw new Error('accountWritten takes events');
    const deliver = (await accountWritten.event())(services.services, 'accountWritten');
    for (const uid of ['ann', 'mistyped']) {
      services.store.commit([{ create: `accounts/${uid}`, data: { ...after } }]);
      await deliver(accountEvent(uid, { before: undefined, after: { ...after } }, 'admin@example.com'));
    }
    expect(findUnknown(services)).toMatchObject([{ uid: 'mistyped' }]);
  },
);
