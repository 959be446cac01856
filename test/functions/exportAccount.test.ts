/** `exportAccount` over real HTTP on the real database: a file, whole or visibly broken off. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { exportAnswerSchema } from '../../shared/contract.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ TERMS_VERSION: '1' });
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());

/** A user with more documents than one page has. */
async function newUserWithEntries(count: number): Promise<User> {
  const user = await stack.newAccount();
  const createdAt = new Date(0);
  const entries = Array.from({ length: count }, (_, i) => ({
    create: `accounts/${user.uid}/entries/e${String(i).padStart(4, '0')}`,
    data: { sequence: i + 2, type: 'grant', amount: 1, balance: i, createdAt, actor: 'root' },
  }));
  for (let i = 0; i < count; i += 100) await stack.database.commit(entries.slice(i, i + 100));
  return user;
}

it('is a file of everything, in pages, without the admins', async () => {
  const user = await newUserWithEntries(130);
  await user.post('acceptTerms', { version: '1' });
  expect((await user.generate('key')).status).toBe(200);
  const { status, headers, body } = await user.get('exportAccount');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('content-disposition')).toBe('attachment; filename="nano-banana-studio-export.json"');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(exportAnswerSchema.safeParse(body).error).toBeUndefined();
  expect([body.entries.length, body.generations.length]).toEqual([132, 1]);
  expect(JSON.stringify(body)).not.toContain('root');
});

it('writes nothing, and works for an account that an admin must correct', async () => {
  const user = await stack.user('invalid', 10);
  await stack.edit(user.path, { balance: 'ten', suspended: true });
  const before = await stack.ledger(user.uid);
  const { status, body } = await user.get('exportAccount');
  expect([status, body.account.balance, body.account.suspended]).toEqual([200, 'ten', true]);
  expect(await stack.ledger(user.uid)).toEqual(before);
});

it('answers an error before the first byte as every function does', async () => {
  const user = await stack.newUser();
  const read = () => Promise.reject(Object.assign(new Error('denied'), { code: 7 }));
  const { url } = await stack.startServer(
    {},
    { database: { ...stack.database, close: async () => {}, read } },
  );
  const { status, body } = await user.get('exportAccount', url);
  expect([status, body.error.details[0].reason]).toEqual([500, 'INTERNAL']);
});

it('breaks the connection off if the database fails in the middle, and logs it', async () => {
  const user = await newUserWithEntries(130);
  const { database } = stack;
  let pages = 0;
  const page: typeof database.page = (request) => {
    pages += 1;
    if (pages === 2) throw Object.assign(new Error('denied'), { code: 7 });
    return database.page(request);
  };
  const { url } = await stack.startServer({}, { database: { ...database, close: async () => {}, page } });
  const response = await fetch(`${url}/exportAccount`, {
    headers: { authorization: `Bearer ${user.token}` },
  });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow('terminated');
  await expect
    .poll(() => stack.logs.find((line) => line.message === 'exportAccount: INTERNAL'))
    .toMatchObject({ severity: 'ERROR' });
});

it('is finished when the server shuts down meanwhile', async () => {
  const user = await newUserWithEntries(60);
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { database } = stack;
  const page: typeof database.page = async (request) => {
    reached.resolve();
    await gate.promise;
    return database.page(request);
  };
  const { url, shutdown } = await stack.startServer(
    {},
    { database: { ...database, close: async () => {}, page } },
  );
  const reply = user.get('exportAccount', url);
  await reached.promise;
  const stopped = shutdown();
  gate.resolve();
  expect((await reply).body.entries).toHaveLength(61);
  await stopped;
});
