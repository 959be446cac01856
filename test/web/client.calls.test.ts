/** The client's calls other than `generate`, and what all calls share: tokens, timeouts, abort signals. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  catchApiError,
  catchError,
  createFakeClient,
  type FakeAnswer,
  generate,
  html,
  noNetwork,
  receipt,
  refusal,
  request,
  succeeded,
} from './fakeFunctions.ts';

afterEach(() => void vi.restoreAllMocks());

describe('calls other than generate', () => {
  const reads: [string, (fake: ReturnType<typeof createFakeClient>) => Promise<unknown>][] = [
    ['account', ({ client }) => client.account()],
    ['ledger', ({ client }) => client.ledger()],
    ['gallery', ({ client }) => client.gallery()],
    ['generation', ({ client }) => client.generation({ id: '1' })],
    ['deleteGeneration', ({ client }) => client.deleteGeneration('1')],
    ['favourite', ({ client }) => client.favourite('1', true)],
    ['share', ({ client }) => client.share('1', true)],
    ['acceptTerms', ({ client }) => client.acceptTerms('1')],
    ['closeAccount', ({ client }) => client.closeAccount()],
    ['exportAccount', ({ client }) => client.exportAccount()],
    ['packs', ({ client }) => client.packs()],
    ['checkout', ({ client }) => client.checkout('starter', { key: 'wish' })],
    ['confirmCheckout', ({ client }) => client.confirmCheckout('cs_1')],
    ['billingPortal', ({ client }) => client.billingPortal()],
    ['grant', ({ client }) => client.grant({ uid: 'u', amount: 1, reason: 'Gift' }, { key: 'gift' })],
  ];
  test.each(reads)('%s is attempted at most three times', async (_, call) => {
    const slow = createFakeClient([noNetwork, html(503), () => Response.json({ late: true })]);
    expect(await call(slow)).toEqual({ late: true });
    const broken = createFakeClient([refusal(503, 'DATABASE_UNAVAILABLE', 'same_key')]);
    expect((await catchApiError(call(broken))).reason).toBe('DATABASE_UNAVAILABLE');
    expect(broken.requests).toHaveLength(3);
  });

  test('deleteGeneration does not wait until a running generation ends', async () => {
    const fake = createFakeClient([refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' })]);
    expect((await catchApiError(fake.client.deleteGeneration('1'))).reason).toBe('IN_PROGRESS');
    expect(fake.waits).toEqual([2000, 2000]);
  });

  test('enhance is attempted once', async () => {
    const fake = createFakeClient([noNetwork]);
    expect((await catchApiError(fake.client.enhance('A banana'))).reason).toBe('UNREACHABLE');
    expect(fake.requests).toHaveLength(1);
  });

  test('send their arguments in the query, the body and the Idempotency-Key header', async () => {
    const fake = createFakeClient([() => Response.json({})], { baseUrl: 'https://api.test' });
    const { client } = fake;
    await client.ledger();
    await client.ledger({ pageSize: 10, pageToken: undefined });
    await client.gallery({ pageSize: 12, pageToken: 'a+b' });
    await client.gallery({ query: 'red fox', favourite: true });
    await client.generation({ key: 'a key/1' });
    await client.enhance('A banana');
    await client.deleteGeneration('1');
    await client.favourite('1', false);
    await client.share('1', false);
    await client.report({ token: 't', reason: 'other' });
    await client.acceptTerms('2026-11');
    await client.closeAccount();
    await client.exportAccount();
    await client.packs();
    await client.confirmCheckout('cs_1');
    await client.billingPortal();
    await client.checkout('starter', { key: 'wish' });
    expect(fake.keys().at(-1)).toBe('wish');
    await client.grant({ uid: 'u', amount: 1, reason: 'Gift' }, { key: 'gift' });
    expect(fake.requests.map(({ path, body }) => [path.replace('https://api.test', ''), body])).toEqual([
      ['/ledger', null],
      ['/ledger?pageSize=10', null],
      ['/gallery?pageSize=12&pageToken=a%2Bb', null],
      ['/gallery?query=red+fox&favourite=true', null],
      ['/generation?key=a+key%2F1', null],
      ['/enhance', '{"prompt":"A banana"}'],
      ['/deleteGeneration', '{"id":"1"}'],
      ['/favourite', '{"id":"1","favourite":false}'],
      ['/share', '{"id":"1","shared":false}'],
      ['/report', '{"token":"t","reason":"other"}'],
      ['/acceptTerms', '{"version":"2026-11"}'],
      ['/closeAccount', '{"confirm":"CLOSE"}'],
      ['/exportAccount', null],
      ['/packs', null],
      ['/confirmCheckout', '{"sessionId":"cs_1"}'],
      ['/billingPortal', '{}'],
      ['/checkout', '{"pack":"starter"}'],
      ['/grant', '{"uid":"u","amount":1,"reason":"Gift"}'],
    ]);
    expect(fake.keys().at(-1)).toBe('gift');
  });

  test.each([
    ['https://api.test/', 'https://api.test/account'],
    ['https://api.test/studio//', 'https://api.test/studio/account'],
    ['/', '/account'],
  ])('go to the functions of %s', async (baseUrl, address) => {
    const fake = createFakeClient([() => Response.json({})], { baseUrl });
    await fake.client.account();
    expect(fake.requests.map(({ path }) => path)).toEqual([address]);
  });
});

describe('the token', () => {
  test('is refreshed once after a 401', async () => {
    const fake = createFakeClient([refusal(401, 'UNAUTHENTICATED', 'no'), succeeded]);
    await generate(fake);
    expect(fake.tokens()).toEqual(['Bearer first', 'Bearer second']);
    const unknownUser = createFakeClient([refusal(401, 'UNAUTHENTICATED', 'no')]);
    expect((await catchApiError(generate(unknownUser))).code).toBe(401);
    expect(unknownUser.requests).toHaveLength(2);
  });

  test('is requested again for each attempt', async () => {
    let tokens = 0;
    const fake = createFakeClient([noNetwork, succeeded], { token: async () => `t${++tokens}` });
    await generate(fake);
    expect(fake.tokens()).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('callback that rejects ends the call before anything is sent', async () => {
    const fake = createFakeClient([succeeded], { token: () => Promise.reject(new Error('signed out')) });
    expect(await catchError(generate(fake))).toEqual(new Error('signed out'));
    expect(fake.requests).toEqual([]);
  });

  test('callback that loses the network is retried', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'auth/network-request-failed' });
    const token = vi.fn(async () => 'late').mockRejectedValueOnce(lost);
    const fake = createFakeClient([succeeded], { token });
    expect(await generate(fake)).toMatchObject({ receipt });
    expect(fake.waits).toHaveLength(1);
  });
});

describe('an aborted signal rejects with its reason', () => {
  const reason = new Error('the user left');

  test('before the first attempt', async () => {
    const fake = createFakeClient([succeeded]);
    expect(await catchError(fake.client.generate(request, { signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    );
    expect(fake.requests).toEqual([]);
  });

  test.each(['generate', 'enhance'] as const)('while %s is waiting for the answer', async (name) => {
    const abort = new AbortController();
    const hang: FakeAnswer = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        abort.abort(reason);
      });
    const { client } = createFakeClient([hang]);
    const { signal } = abort;
    const call = name === 'generate' ? client.generate(request, { signal }) : client.enhance('A', { signal });
    expect(await catchError(call)).toBe(reason);
  });

  test('between two attempts', async () => {
    const abort = new AbortController();
    // The default sleep, which the signal must interrupt.
    const { client, requests } = createFakeClient([noNetwork], { sleep: undefined as never });
    const call = client.generate(request, {
      signal: abort.signal,
      onWait: () => setTimeout(() => abort.abort(reason)),
    });
    expect(await catchError(call)).toBe(reason);
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
  expect(signal?.aborted, 'the listener for online is removed').toBe(true);
});

describe('a call without an answer in time is retried', () => {
  test.each<[string, number, (fake: ReturnType<typeof createFakeClient>) => Promise<unknown>]>([
    ['other calls', 30_000, ({ client }) => client.account()],
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
