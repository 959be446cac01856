/** What a client of the functions does with each kind of answer, and with none. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { GenerateInput, Receipt } from '../../shared/contract.ts';
import { ApiError, type ClientOptions, createClient } from '../../web/client.ts';

const request: GenerateInput = { prompt: 'A banana', tier: 'standard', orientation: 'landscape' };
const receipt: Receipt = { charged: 1, refunded: 0, balance: 73, sequence: 2 };
const painted = () => Response.json({ generation: { id: '0'.repeat(32) }, receipt });
const noNetwork = () => Promise.reject(new TypeError('fetch failed'));
const html = (status: number) => () => new Response('<h1>Not the studio</h1>', { status });

afterEach(() => void vi.restoreAllMocks());

function refused(
  code: number,
  reason: string,
  retry: string,
  more: { after?: string; receipt?: Receipt; metadata?: Record<string, string> } = {},
) {
  const metadata = { ...more.metadata, retry };
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, metadata }];
  const body = { error: { code, message: `${reason}.`, details }, receipt: more.receipt };
  const headers: Record<string, string> = more.after === undefined ? {} : { 'retry-after': more.after };
  return () => Response.json(body, { status: code, headers });
}

type FakeAnswer = (init: RequestInit) => Response | Promise<Response>;

/** A client whose server gives these answers one after the other, the last for ever. */
function clientOf(answers: FakeAnswer[], options: Partial<ClientOptions> = {}) {
  const asked: { path: string; headers: Headers; body: unknown }[] = [];
  const waits: number[] = [];
  let clock = Date.parse('2026-01-01');
  const client = createClient({
    token: async (anew) => (anew ? 'second' : 'first'),
    async fetch(path, init = {}) {
      asked.push({ path: String(path), headers: new Headers(init.headers), body: init.body });
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      if (!answer) throw new Error('no answer');
      return answer(init);
    },
    async sleep(ms) {
      waits.push(ms);
      clock += ms;
    },
    now: () => clock,
    ...options,
  });
  const keys = () => asked.map(({ headers }) => headers.get('idempotency-key'));
  const tokens = () => asked.map(({ headers }) => headers.get('authorization'));
  return { client, asked, waits, keys, tokens };
}

const generate = ({ client }: ReturnType<typeof clientOf>) => client.generate(request, { key: 'key-1' });
const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => error,
  );
const failure = async (promise: Promise<unknown>) => {
  const error = await thrown(promise);
  if (!(error instanceof ApiError)) throw error;
  return error;
};
/** The longest backoff of each wait; jitter takes off up to half. */
function expectBackoff(waits: number[], most: number[]) {
  expect(waits).toHaveLength(most.length);
  for (const [i, ms] of waits.entries()) {
    expect(ms).toBeLessThanOrEqual(most[i] ?? 0);
    expect(ms).toBeGreaterThanOrEqual((most[i] ?? 0) / 2);
  }
}

describe('what is not settled is asked for again with the same key', () => {
  test.each<[string, FakeAnswer, number | undefined]>([
    [
      'after the time the answer names',
      refused(503, 'PROVIDER_OVERLOADED', 'same_key', { after: '7' }),
      7000,
    ],
    [
      'at the date the answer names',
      refused(503, 'PROVIDER_OVERLOADED', 'same_key', { after: 'Thu, 01 Jan 2026 00:00:09 GMT' }),
      9000,
    ],
    ['but never at once', refused(429, 'RATE_LIMITED', 'same_key', { after: '0' }), 1000],
    ['while it is being painted', refused(409, 'IN_PROGRESS', 'same_key', { after: '2' }), 2000],
    ['when no answer came', noNetwork, undefined],
    ['when Hosting gave up waiting', html(504), undefined],
    ['when a proxy answered', html(502), undefined],
    ['when something else answered that all is well', html(200), undefined],
    ['when Cloud Run had no instance', html(429), undefined],
    ['when the answer is JSON of nobody', () => Response.json(null), undefined],
  ])('%s', async (_, first, waitMs) => {
    const fake = clientOf([first, painted]);
    expect(await generate(fake)).toMatchObject({ receipt, replayed: false });
    if (waitMs === undefined) expectBackoff(fake.waits, [2000]);
    else expect(fake.waits).toEqual([waitMs]);
    expect(fake.keys()).toEqual(['key-1', 'key-1']);
    expect(fake.asked.map(({ body }) => body)).toEqual(Array(2).fill(JSON.stringify(request)));
  });

  test('one that the client made up where none is given, another for each generation', async () => {
    const fake = clientOf([noNetwork, painted]);
    await fake.client.generate(request);
    await fake.client.generate(request);
    const [first, again, other] = fake.keys();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('the receipt of one still running is told at once, and every asking', async () => {
    const { client } = clientOf([refused(409, 'IN_PROGRESS', 'same_key', { after: '2', receipt }), painted]);
    const told: unknown[] = [];
    await client.generate(request, {
      onAsk: () => told.push('ask'),
      onWait: (error, waitMs) => told.push(error.receipt, waitMs),
    });
    expect(told).toEqual(['ask', receipt, 2000, 'ask']);
  });

  test('a stored answer is told apart from a new one', async () => {
    const replay = () => Response.json({ receipt }, { headers: { 'idempotent-replayed': 'true' } });
    expect(await generate(clientOf([replay]))).toEqual({ receipt, replayed: true });
  });
});

describe('asking again has an end', () => {
  test('of attempts, each wait longer than the last', async () => {
    const fake = clientOf([noNetwork]);
    const error = await failure(generate(fake));
    expect(error).toMatchObject({ code: 0, reason: 'UNREACHABLE', retry: 'same_key' });
    expect(error.cause).toBeInstanceOf(TypeError);
    expectBackoff(fake.waits, [2000, 4000, 8000, 15_000]);
  });

  test('of time, while it is being painted', async () => {
    const fake = clientOf([refused(409, 'IN_PROGRESS', 'same_key', { after: '2' })]);
    expect((await failure(generate(fake))).reason).toBe('IN_PROGRESS');
    expect(fake.waits).toHaveLength(120);
  });

  test('and being painted is no attempt', async () => {
    const running = refused(409, 'IN_PROGRESS', 'same_key', { after: '2' });
    const fake = clientOf([noNetwork, noNetwork, noNetwork, noNetwork, running, running, painted]);
    expect(await generate(fake)).toMatchObject({ receipt });
  });

  test('at once, where the wait would be longer than that', async () => {
    const fake = clientOf([refused(503, 'PROVIDER_QUOTA', 'same_key', { after: '3600' })]);
    expect((await failure(generate(fake))).retryAfterMs).toBe(3_600_000);
    expect(fake.asked).toHaveLength(1);
  });
});

describe('what has failed for good is thrown with all the answer says', () => {
  test.each([
    [422, 'CONTENT_BLOCKED', 'new_key'],
    [410, 'EXPIRED', 'new_key'],
    [402, 'INSUFFICIENT_CREDITS', 'no'],
    [502, 'STORAGE_ERROR', 'new_key'],
    [503, 'SPEND_CEILING', 'no'],
  ])('%i %s', async (code, reason, retry) => {
    const fake = clientOf([refused(code, reason, retry, { receipt, metadata: { balance: '1' } })]);
    const error = await failure(generate(fake));
    expect(error).toMatchObject({ name: 'ApiError', message: `${reason}.`, code, reason, retry, receipt });
    expect(error.metadata).toEqual({ balance: '1', retry });
    expect(error.body).toMatchObject({ error: { code }, receipt });
    expect(fake.asked).toHaveLength(1);
  });

  test('the fields of a request that does not parse', async () => {
    const violation = { field: 'prompt', description: 'must not be empty' };
    const details = [
      { reason: 'INVALID_REQUEST', metadata: { retry: 'no' } },
      { fieldViolations: [violation] },
    ];
    const fake = clientOf([() => Response.json({ error: { message: 'No.', details } }, { status: 400 })]);
    expect((await failure(generate(fake))).fieldViolations).toEqual([violation]);
  });

  test.each([
    ['HTML', html(403), '<h1>Not the studio</h1>'],
    ['JSON of another shape', () => Response.json({ error: 'no' }, { status: 404 }), { error: 'no' }],
    [
      'details of another shape',
      () => Response.json({ error: { details: {} } }, { status: 400 }),
      { error: { details: {} } },
    ],
  ])('a refusal that is not of the functions: %s', async (_, answer, body) => {
    const fake = clientOf([answer]);
    expect(await failure(generate(fake))).toMatchObject({ reason: 'UNKNOWN', retry: 'no', body });
    expect(fake.asked).toHaveLength(1);
  });
});

describe('the other calls', () => {
  const reads: [string, (fake: ReturnType<typeof clientOf>) => Promise<unknown>][] = [
    ['account', ({ client }) => client.account()],
    ['ledger', ({ client }) => client.ledger()],
    ['gallery', ({ client }) => client.gallery()],
    ['generation', ({ client }) => client.generation({ id: '1' })],
    ['deleteGeneration', ({ client }) => client.deleteGeneration('1')],
    ['grant', ({ client }) => client.grant({ uid: 'u', amount: 1, reason: 'Gift' }, { key: 'gift' })],
  ];
  test.each(reads)('%s is asked for three times at most', async (_, call) => {
    const late = clientOf([noNetwork, html(503), () => Response.json({ late: true })]);
    expect(await call(late)).toEqual({ late: true });
    const never = clientOf([refused(503, 'DATABASE_UNAVAILABLE', 'same_key')]);
    expect((await failure(call(never))).reason).toBe('DATABASE_UNAVAILABLE');
    expect(never.asked).toHaveLength(3);
  });

  test('deleting what is being painted does not wait for its end', async () => {
    const fake = clientOf([refused(409, 'IN_PROGRESS', 'same_key', { after: '2' })]);
    expect((await failure(fake.client.deleteGeneration('1'))).reason).toBe('IN_PROGRESS');
    expect(fake.waits).toEqual([2000, 2000]);
  });

  test('enhance is asked for once', async () => {
    const fake = clientOf([noNetwork]);
    expect((await failure(fake.client.enhance('A banana'))).reason).toBe('UNREACHABLE');
    expect(fake.asked).toHaveLength(1);
  });

  test('say what they are about', async () => {
    const fake = clientOf([() => Response.json({})], { baseUrl: 'https://api.test' });
    const { client } = fake;
    await client.ledger();
    await client.ledger({ pageSize: 10, pageToken: undefined });
    await client.gallery({ pageSize: 12, pageToken: 'a+b' });
    await client.generation({ key: 'a key/1' });
    await client.enhance('A banana');
    await client.deleteGeneration('1');
    await client.grant({ uid: 'u', amount: 1, reason: 'Gift' }, { key: 'gift' });
    expect(fake.asked.map(({ path, body }) => [path.replace('https://api.test', ''), body])).toEqual([
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
    const fake = clientOf([refused(401, 'UNAUTHENTICATED', 'no'), painted]);
    await generate(fake);
    expect(fake.tokens()).toEqual(['Bearer first', 'Bearer second']);
    const stranger = clientOf([refused(401, 'UNAUTHENTICATED', 'no')]);
    expect((await failure(generate(stranger))).code).toBe(401);
    expect(stranger.asked).toHaveLength(2);
  });

  test('is asked for whenever the server is', async () => {
    let tokens = 0;
    const fake = clientOf([noNetwork, painted], { token: async () => `t${++tokens}` });
    await generate(fake);
    expect(fake.tokens()).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('that nobody is there to have ends the call', async () => {
    const fake = clientOf([painted], { token: () => Promise.reject(new Error('signed out')) });
    expect(await thrown(generate(fake))).toEqual(new Error('signed out'));
    expect(fake.asked).toEqual([]);
  });

  test('that the network lost is no answer', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'auth/network-request-failed' });
    const token = vi.fn(async () => 'late').mockRejectedValueOnce(lost);
    const fake = clientOf([painted], { token });
    expect(await generate(fake)).toMatchObject({ receipt });
    expect(fake.waits).toHaveLength(1);
  });
});

describe('an aborted signal rejects with its reason', () => {
  const reason = new Error('the user left');

  test('before anything is asked', async () => {
    const fake = clientOf([painted]);
    expect(await thrown(fake.client.generate(request, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(fake.asked).toEqual([]);
  });

  test.each(['generate', 'enhance'] as const)('while %s is being answered', async (name) => {
    const leaving = new AbortController();
    const hang: FakeAnswer = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        leaving.abort(reason);
      });
    const { client } = clientOf([hang]);
    const { signal } = leaving;
    const call = name === 'generate' ? client.generate(request, { signal }) : client.enhance('A', { signal });
    expect(await thrown(call)).toBe(reason);
  });

  test('between two askings', async () => {
    const leaving = new AbortController();
    // The default sleep, which has to be woken.
    const { client, asked } = clientOf([noNetwork], { sleep: undefined as never });
    const call = client.generate(request, {
      signal: leaving.signal,
      onWait: () => setTimeout(() => leaving.abort(reason)),
    });
    expect(await thrown(call)).toBe(reason);
    expect(asked).toHaveLength(1);
  });
});

test('a wait ends early when the browser comes back online', async () => {
  const page = new EventTarget();
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  onTestFinished(() => void vi.unstubAllGlobals());
  const long = refused(503, 'PROVIDER_OVERLOADED', 'same_key', { after: '200' });
  const { client } = clientOf([long, painted], { sleep: undefined as never });
  const onWait = () => void setTimeout(() => page.dispatchEvent(new Event('online')));
  expect(await client.generate(request, { onWait })).toMatchObject({ receipt });
});

describe('an answer that does not come in time is none', () => {
  test.each<[string, number, (fake: ReturnType<typeof clientOf>) => Promise<unknown>]>([
    ['ordinary calls', 30_000, ({ client }) => client.account()],
    ['generate', 150_000, generate],
  ])('%s', async (_, limitMs, call) => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementationOnce(() => {
      return AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    });
    const late: FakeAnswer = ({ signal }) => (signal?.aborted ? Promise.reject(signal.reason) : painted());
    const fake = clientOf([late]);
    expect(await call(fake)).toMatchObject({ receipt });
    expect(timeout).toHaveBeenCalledWith(limitMs);
    expect(fake.waits).toHaveLength(1);
  });
});
