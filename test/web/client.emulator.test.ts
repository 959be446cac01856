/** The client against the real functions, through a proxy that cuts connections. */
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

/** A user with so many credits, and a client of theirs that does not wait unless told how. */
async function clientOf(uid: string, credits: number, options: Partial<ClientOptions> = {}, claims = {}) {
  const user = await stack.user(uid, credits, claims);
  const client = createClient({
    baseUrl: proxy.url,
    token: async () => user.token,
    sleep: async () => {},
    ...options,
  });
  return { user, client };
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof ApiError)) throw error;
  return error;
}

const entryTypes = async (uid: string) => (await stack.ledger(uid)).entries.map(({ type }) => type);

describe('a connection that is cut charges once', () => {
  test.each([
    ['in the middle of the answer', ['midAnswer'], true],
    ['before the functions were asked', ['before'], false],
    ['again and again', ['before', 'midAnswer', 'midAnswer'], true],
  ] as const)('%s', async (name, cuts, replayed) => {
    const uid = name.replaceAll(' ', '-');
    const { client } = await clientOf(uid, 10);
    const lost: string[] = [];
    proxy.cut(...cuts);
    const answer = await client.generate(request, { onWait: ({ reason }) => lost.push(reason) });
    expect(lost).toEqual(cuts.map(() => 'UNREACHABLE'));
    expect(answer).toMatchObject({ replayed, receipt: { charged: 2, refunded: 0, balance: 8 } });
    expect(await entryTypes(uid)).toEqual(['adjustment', 'debit']);
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });
});

test('one that is being painted is waited for, and its balance is known before it is done', async () => {
  const [running, settled] = [Promise.withResolvers<ApiError>(), Promise.withResolvers<void>()];
  const { user, client } = await clientOf('waiting', 10, { sleep: () => settled.promise });
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

describe('what has failed for good is thrown', () => {
  test('too few credits, with what is there', async () => {
    const { client } = await clientOf('poor', 1);
    expect(await failure(client.generate(request))).toMatchObject({
      code: 402,
      reason: 'INSUFFICIENT_CREDITS',
      retry: 'no',
      metadata: { required: '2', balance: '1' },
      receipt: undefined,
    });
  });

  test('a picture the model would not paint, with the receipt of its refund', async () => {
    const { client } = await clientOf('blocked', 10);
    gate.script(geminiFault.promptBlocked());
    expect(await failure(client.generate(request))).toMatchObject({
      code: 422,
      reason: 'CONTENT_BLOCKED',
      retry: 'new_key',
      receipt: { charged: 2, refunded: 2, balance: 10 },
    });
  });

  test('another body with the same key', async () => {
    const { client } = await clientOf('reused', 10);
    await client.generate(request, { key: 'key' });
    expect(await failure(client.generate({ ...request, tier: 'standard' }, { key: 'key' }))).toMatchObject({
      code: 422,
      reason: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('a request that does not parse, each field named', async () => {
    const { client } = await clientOf('mistaken', 10);
    const { reason, fieldViolations } = await failure(client.generate({ ...request, prompt: ' ' }));
    expect({ reason, fieldViolations }).toEqual({
      reason: 'INVALID_REQUEST',
      fieldViolations: [{ field: 'prompt', description: 'must not be empty' }],
    });
  });
});

test('a token that is refused is made anew', async () => {
  const asked: boolean[] = [];
  const token = async (anew: boolean) => {
    asked.push(anew);
    return anew ? stack.tokenFor('renewed') : 'stale';
  };
  const { client } = await clientOf('renewed', 10, { token });
  expect((await client.account()).account.balance).toBe(10);
  expect(asked).toEqual([false, true]);
});

test('every answer is what its type says', async () => {
  const { client } = await clientOf('typed', 10);
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

test('a grant whose answer was lost is the same grant again', async () => {
  answerLookups(stack);
  onTestFinished(() => void vi.unstubAllGlobals());
  await clientOf('given', 10);
  const { client: admin } = await clientOf('admin', 0, {}, { admin: true });
  proxy.cut('midAnswer');
  const answer = await admin.grant({ uid: 'given', amount: 5, reason: 'A gift' }, { key: 'gift' });
  expect(contract.grantAnswerSchema.parse(answer).account.balance).toBe(15);
  expect(await entryTypes('given')).toEqual(['adjustment', 'grant']);
});
