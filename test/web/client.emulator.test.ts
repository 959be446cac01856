/** The client against the real functions, through a proxy that can cut connections. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import * as contract from '../../shared/contract.ts';
import { ApiError, type ClientOptions, createClient } from '../../web/client.ts';
import { answerLookups } from '../support/adminLookup.ts';
import { startCuttingProxy } from '../support/cuttingProxy.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { type Stack, startStack } from '../support/stack.ts';

const request: contract.GenerateInput = { prompt: 'A banana on the moon', tier: 'premium2' };
let stack: Stack;
let gate: GatedGemini;
let proxy: Awaited<ReturnType<typeof startCuttingProxy>>;

beforeAll(async () => {
  gate = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gate.url });
  proxy = await startCuttingProxy(stack.url);
});
afterAll(async () => {
  await proxy.close();
  await stack.close();
  await gate.close();
});

/** Creates a user with this many credits, and a client for them that by default does not sleep. */
async function createUserClient(
  uid: string,
  credits: number,
  options: Partial<ClientOptions> = {},
  claims = {},
) {
  const user = await stack.user(uid, credits, claims);
  const client = createClient({
    baseUrl: proxy.url,
    token: async () => user.token,
    sleep: async () => {},
    ...options,
  });
  return { user, client };
}

async function catchApiError(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.catch((rejection: unknown) => rejection);
  if (!(error instanceof ApiError)) throw error;
  return error;
}

const entryTypes = async (uid: string) => (await stack.ledger(uid)).entries.map(({ type }) => type);

describe('a generation whose connection was cut is charged once', () => {
  test.each([
    ['in the middle of the answer', ['midAnswer'], true],
    ['before the request reached the functions', ['before'], false],
    ['three times in a row', ['before', 'midAnswer', 'midAnswer'], true],
  ] as const)('%s', async (name, cuts, replayed) => {
    const uid = name.replaceAll(' ', '-');
    const { client } = await createUserClient(uid, 10);
    const reasons: string[] = [];
    proxy.cut(...cuts);
    const answer = await client.generate(request, { onWait: ({ reason }) => reasons.push(reason) });
    expect(reasons).toEqual(cuts.map(() => 'UNREACHABLE'));
    expect(answer).toMatchObject({ replayed, receipt: { charged: 2, refunded: 0, balance: 8 } });
    expect(await entryTypes(uid)).toEqual(['adjustment', 'debit']);
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });
});

test('a running generation is waited for, and its receipt arrives before it is done', async () => {
  const [running, settled] = [Promise.withResolvers<ApiError>(), Promise.withResolvers<void>()];
  const { user, client } = await createUserClient('waiting', 10, { sleep: () => settled.promise });
  let second: ReturnType<typeof client.generate> | undefined;
  const first = await gate.during(
    () => user.generate('key', request),
    () => {
      second = client.generate(request, { key: 'key', onWait: running.resolve });
      return Promise.race([running.promise, second]);
    },
  );
  settled.resolve();
  expect(await second).toEqual({ ...first.body, replayed: true });
  expect(await running.promise).toMatchObject({ reason: 'IN_PROGRESS', receipt: { charged: 2, balance: 8 } });
  expect(await entryTypes('waiting')).toEqual(['adjustment', 'debit']);
});

describe('a final failure is thrown', () => {
  test('insufficient credits, with the price and the balance', async () => {
    const { client } = await createUserClient('poor', 1);
    expect(await catchApiError(client.generate(request))).toMatchObject({
      code: 402,
      reason: 'INSUFFICIENT_CREDITS',
      retry: 'no',
      metadata: { required: '2', balance: '1' },
      receipt: undefined,
    });
  });

  test('a prompt the model declined, with the receipt of the refund', async () => {
    const { client } = await createUserClient('blocked', 10);
    gate.script(geminiFault.promptBlocked());
    expect(await catchApiError(client.generate(request))).toMatchObject({
      code: 422,
      reason: 'CONTENT_BLOCKED',
      retry: 'new_key',
      receipt: { charged: 2, refunded: 2, balance: 10 },
    });
  });

  test('another body under the same key', async () => {
    const { client } = await createUserClient('reused', 10);
    await client.generate(request, { key: 'key' });
    expect(
      await catchApiError(client.generate({ ...request, tier: 'standard' }, { key: 'key' })),
    ).toMatchObject({
      code: 422,
      reason: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('an invalid request, with each invalid field', async () => {
    const { client } = await createUserClient('mistaken', 10);
    const { reason, fieldViolations } = await catchApiError(client.generate({ ...request, prompt: ' ' }));
    expect({ reason, fieldViolations }).toEqual({
      reason: 'INVALID_REQUEST',
      fieldViolations: [{ field: 'prompt', description: 'must not be empty' }],
    });
  });
});

test('a rejected token is refreshed', async () => {
  const refreshes: boolean[] = [];
  const token = async (forceRefresh: boolean) => {
    refreshes.push(forceRefresh);
    return forceRefresh ? stack.tokenFor('renewed') : 'stale';
  };
  const { client } = await createUserClient('renewed', 10, { token });
  expect((await client.account()).account.balance).toBe(10);
  expect(refreshes).toEqual([false, true]);
});

test('every answer matches its schema', async () => {
  const { client } = await createUserClient('typed', 10);
  const { replayed, ...answer } = await client.generate(request, { key: 'key' });
  const { generation } = contract.generateAnswerSchema.parse(answer);
  expect(replayed).toBe(false);
  await client.generate(request);
  contract.accountAnswerSchema.parse(await client.account());
  const page = contract.ledgerAnswerSchema.parse(await client.ledger({ pageSize: 2 }));
  const rest = contract.ledgerAnswerSchema.parse(await client.ledger({ pageToken: page.nextPageToken }));
  expect([...page.entries, ...rest.entries].map(({ sequence }) => sequence)).toEqual([3, 2, 1]);
  expect(contract.galleryAnswerSchema.parse(await client.gallery()).generations).toHaveLength(2);
  contract.enhanceAnswerSchema.parse(await client.enhance('A banana'));
  for (const by of [{ id: generation.id }, { key: 'key' }]) {
    expect(contract.generationAnswerSchema.parse(await client.generation(by))).toEqual({ generation });
  }
  for (const _ of ['once', 'again']) {
    const { generation: deleted } = contract.generationAnswerSchema.parse(
      await client.deleteGeneration(generation.id),
    );
    expect(deleted.status).toBe('deleted');
  }
});

test('a grant whose answer was lost is retried as the same grant', async () => {
  answerLookups(stack);
  onTestFinished(() => void vi.unstubAllGlobals());
  await createUserClient('given', 10);
  const { client: admin } = await createUserClient('admin', 0, {}, { admin: true });
  proxy.cut('midAnswer');
  const answer = await admin.grant({ uid: 'given', amount: 5, reason: 'A gift' }, { key: 'gift' });
  expect(contract.grantAnswerSchema.parse(answer).account.balance).toBe(15);
  expect(await entryTypes('given')).toEqual(['adjustment', 'grant']);
});
