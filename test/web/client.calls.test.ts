/** The client's other calls, and what holds for all of them: tokens, timeouts, signals. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  catchApiError,
  createFakeClient,
  type FakeAnswer,
  generate,
  html,
  noNetwork,
  receipt,
  refusal,
  request,
  succeeded,
  thrown,
} from './fakeFunctions.ts';

afterEach(() => void vi.restoreAllMocks());

describe('the other calls', () => {
  const reads: [string, (fake: ReturnType<typeof createFakeClient>) => Promise<unknown>][] = [
    ['account', ({ client }) => client.account()],
    ['ledger', ({ client }) => client.ledger()],
    ['gallery', ({ client }) => client.gallery()],
    ['generation', ({ client }) => client.generation({ id: '1' })],
    ['deleteGeneration', ({ client }) => client.deleteGeneration('1')],
    ['grant', ({ client }) => client.grant({ uid: 'u', amount: 1, reason: 'Gift' }, { key: 'gift' })],
  ];
  test.each(reads)('%s is asked for three times at most', async (_, call) => {
    const late = createFakeClient([noNetwork, html(503), () => Response.json({ late: true })]);
    expect(await call(late)).toEqual({ late: true });
    const never = createFakeClient([refusal(503, 'DATABASE_UNAVAILABLE', 'same_key')]);
    expect((await catchApiError(call(never))).reason).toBe('DATABASE_UNAVAILABLE');
    expect(never.requests).toHaveLength(3);
  });

  test('deleting what is being painted does not wait for its end', async () => {
    const fake = createFakeClient([refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' })]);
    expect((await catchApiError(fake.client.deleteGeneration('1'))).reason).toBe('IN_PROGRESS');
    expect(fake.waits).toEqual([2000, 2000]);
  });

  test('enhance is asked for once', async () => {
    const fake = createFakeClient([noNetwork]);
    expect((await catchApiError(fake.client.enhance('A banana'))).reason).toBe('UNREACHABLE');
    expect(fake.requests).toHaveLength(1);
  });

  test('say what they are about', async () => {
    const fake = createFakeClient([() => Response.json({})], { baseUrl: 'https://api.test' });
    const { client } = fake;
    await client.ledger();
    await client.ledger({ pageSize: 10, pageToken: undefined });
    await client.gallery({ pageSize: 12, pageToken: 'a+b' });
    await client.generation({ key: 'a key/1' });
    await client.enhance('A banana');
    await client.deleteGeneration('1');
    await client.grant({ uid: 'u', amount: 1, reason: 'Gift' }, { key: 'gift' });
    expect(fake.requests.map(({ path, body }) => [path.replace('https://api.test', ''), body])).toEqual([
      ['/ledger', null],
      ['/ledger?pageSize=10', null],
      ['/gallery?pageSize=12&pageToken=a%2Bb', null],
      ['/generation?key=a+key%2F1', null],
      ['/enhance', '{"prompt":"A banana"}'],
      ['/deleteGeneration', '{"id":"1"}'],
      ['/grant', '{"uid":"u","amount":1,"reason":"Gift"}'],
    ]);
    expect(fake.keys().at(-1)).toBe('gift');
  });
});

describe('the token', () => {
  test('is made anew once after a 401', async () => {
    const fake = createFakeClient([refusal(401, 'UNAUTHENTICATED', 'no'), succeeded]);
    await generate(fake);
    expect(fake.tokens()).toEqual(['Bearer first', 'Bearer second']);
    const stranger = createFakeClient([refusal(401, 'UNAUTHENTICATED', 'no')]);
    expect((await catchApiError(generate(stranger))).code).toBe(401);
    expect(stranger.requests).toHaveLength(2);
  });

  test('is asked for whenever the server is', async () => {
    let tokens = 0;
    const fake = createFakeClient([noNetwork, succeeded], { token: async () => `t${++tokens}` });
    await generate(fake);
    expect(fake.tokens()).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('that nobody is there to have ends the call', async () => {
    const fake = createFakeClient([succeeded], { token: () => Promise.reject(new Error('signed out')) });
    expect(await thrown(generate(fake))).toEqual(new Error('signed out'));
    expect(fake.requests).toEqual([]);
  });

  test('that the network lost is no answer', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'auth/network-request-failed' });
    const token = vi.fn(async () => 'late').mockRejectedValueOnce(lost);
    const fake = createFakeClient([succeeded], { token });
    expect(await generate(fake)).toMatchObject({ receipt });
    expect(fake.waits).toHaveLength(1);
  });
});

describe('an aborted signal rejects with its reason', () => {
  const reason = new Error('the user left');

  test('before anything is asked', async () => {
    const fake = createFakeClient([succeeded]);
    expect(await thrown(fake.client.generate(request, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(fake.requests).toEqual([]);
  });

  test.each(['generate', 'enhance'] as const)('while %s is being answered', async (name) => {
    const leaving = new AbortController();
    const hang: FakeAnswer = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        leaving.abort(reason);
      });
    const { client } = createFakeClient([hang]);
    const { signal } = leaving;
    const call = name === 'generate' ? client.generate(request, { signal }) : client.enhance('A', { signal });
    expect(await thrown(call)).toBe(reason);
  });

  test('between two askings', async () => {
    const leaving = new AbortController();
    // The default sleep, which has to be woken.
    const { client, requests } = createFakeClient([noNetwork], { sleep: undefined as never });
    const call = client.generate(request, {
      signal: leaving.signal,
      onWait: () => setTimeout(() => leaving.abort(reason)),
    });
    expect(await thrown(call)).toBe(reason);
    expect(requests).toHaveLength(1);
  });
});

test('a wait ends early when the browser comes back online', async () => {
  const page = new EventTarget();
  const listen = vi.fn(page.addEventListener.bind(page));
  vi.stubGlobal('addEventListener', listen);
  onTestFinished(() => void vi.unstubAllGlobals());
  const long = refusal(503, 'PROVIDER_OVERLOADED', 'same_key', { after: '200' });
  const { client } = createFakeClient([long, succeeded], { sleep: undefined as never });
  const onWait = () => void setTimeout(() => page.dispatchEvent(new Event('online')));
  expect(await client.generate(request, { onWait })).toMatchObject({ receipt });
  const [, , { signal } = {}] = listen.mock.calls[0] as [string, () => void, { signal?: AbortSignal }];
  expect(signal?.aborted, 'the wait no longer listens').toBe(true);
});

describe('an answer that does not come in time is none', () => {
  test.each<[string, number, (fake: ReturnType<typeof createFakeClient>) => Promise<unknown>]>([
    ['ordinary calls', 30_000, ({ client }) => client.account()],
    ['generate', 150_000, generate],
  ])('%s', async (_, limitMs, call) => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementationOnce(() => {
      return AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    });
    const late: FakeAnswer = ({ signal }) => (signal?.aborted ? Promise.reject(signal.reason) : succeeded());
    const fake = createFakeClient([late]);
    expect(await call(fake)).toMatchObject({ receipt });
    expect(timeout).toHaveBeenCalledWith(limitMs);
    expect(fake.waits).toHaveLength(1);
  });
});
