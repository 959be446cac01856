/** What the client does with each kind of answer to `generate`, and without one. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  catchApiError,
  createFakeClient,
  expectBackoff,
  type FakeAnswer,
  generate,
  html,
  noNetwork,
  receipt,
  refusal,
  request,
  succeeded,
} from './fakeFunctions.ts';

describe('an unsettled generation is retried with the same key', () => {
  test.each<[string, FakeAnswer, number | undefined]>([
    [
      'after the seconds in Retry-After',
      refusal(503, 'PROVIDER_OVERLOADED', 'same_key', { after: '7' }),
      7000,
    ],
    [
      'at the date in Retry-After',
      refusal(503, 'PROVIDER_OVERLOADED', 'same_key', { after: 'Thu, 01 Jan 2026 00:00:09 GMT' }),
      9000,
    ],
    ['at the earliest after one second', refusal(429, 'RATE_LIMITED', 'same_key', { after: '0' }), 1000],
    ['while it is running', refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' }), 2000],
    ['after a network error', noNetwork, undefined],
    ['after a timeout of Firebase Hosting', html(504), undefined],
    ['after a proxy error', html(502), undefined],
    ['after a 200 that is not from the functions', html(200), undefined],
    ['after a 429 of Cloud Run, which had no instance', html(429), undefined],
    ['after a 200 with null as JSON', () => Response.json(null), undefined],
  ])('%s', async (_, first, waitMs) => {
    const fake = createFakeClient([first, succeeded]);
    expect(await generate(fake)).toMatchObject({ receipt, replayed: false });
    if (waitMs === undefined) expectBackoff(fake.waits, [2000]);
    else expect(fake.waits).toEqual([waitMs]);
    expect(fake.keys()).toEqual(['key-1', 'key-1']);
    expect(fake.requests.map(({ body }) => body)).toEqual(Array(2).fill(JSON.stringify(request)));
  });

  test('by default each generation has a random key, which its retries reuse', async () => {
    const fake = createFakeClient([noNetwork, succeeded]);
    await fake.client.generate(request);
    await fake.client.generate(request);
    const [first, retried, other] = fake.keys();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(retried).toBe(first);
    expect(other).not.toBe(first);
  });

  test('a page over plain HTTP, which has no crypto.randomUUID, gets random keys too', async () => {
    const getRandomValues = crypto.getRandomValues.bind(crypto);
    vi.stubGlobal('crypto', { getRandomValues });
    onTestFinished(() => void vi.unstubAllGlobals());
    const fake = createFakeClient([succeeded]);
    for (let i = 0; i < 2; i += 1) await fake.client.generate(request);
    expect(new Set(fake.keys()).size).toBe(2);
  });

  test('onAttempt is called for each attempt, onWait with the receipt of a running generation', async () => {
    const { client } = createFakeClient([
      refusal(409, 'IN_PROGRESS', 'same_key', { after: '2', receipt }),
      succeeded,
    ]);
    const events: unknown[] = [];
    await client.generate(request, {
      onAttempt: () => events.push('attempt'),
      onWait: (error, waitMs) => events.push(error.receipt, waitMs),
    });
    expect(events).toEqual(['attempt', receipt, 2000, 'attempt']);
  });

  test('replayed is true for a stored answer', async () => {
    const replay = () => Response.json({ receipt }, { headers: { 'idempotent-replayed': 'true' } });
    expect(await generate(createFakeClient([replay]))).toEqual({ receipt, replayed: true });
  });
});

describe('retries end', () => {
  test('after five attempts, each wait longer than the one before', async () => {
    const fake = createFakeClient([noNetwork]);
    const error = await catchApiError(generate(fake));
    expect(error).toMatchObject({ code: 0, reason: 'UNREACHABLE', retry: 'same_key' });
    expect(error.cause).toBeInstanceOf(TypeError);
    expectBackoff(fake.waits, [2000, 4000, 8000, 15_000]);
  });

  test('after four minutes while the generation is running', async () => {
    const fake = createFakeClient([refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' })]);
    expect((await catchApiError(generate(fake))).reason).toBe('IN_PROGRESS');
    expect(fake.waits).toHaveLength(120);
  });

  test('later if the generation is running: such answers do not count as attempts', async () => {
    const running = refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' });
    const fake = createFakeClient([noNetwork, noNetwork, noNetwork, noNetwork, running, running, succeeded]);
    expect(await generate(fake)).toMatchObject({ receipt });
  });

  test('at once if the wait would exceed four minutes', async () => {
    const fake = createFakeClient([refusal(503, 'PROVIDER_QUOTA', 'same_key', { after: '3600' })]);
    expect((await catchApiError(generate(fake))).retryAfterMs).toBe(3_600_000);
    expect(fake.requests).toHaveLength(1);
  });
});

describe('a final failure is thrown with everything in the answer', () => {
  test.each([
    [422, 'CONTENT_BLOCKED', 'new_key'],
    [410, 'EXPIRED', 'new_key'],
    [402, 'INSUFFICIENT_CREDITS', 'no'],
    [502, 'STORAGE_ERROR', 'new_key'],
    [503, 'SPEND_CEILING', 'no'],
  ])('%i %s', async (code, reason, retry) => {
    const fake = createFakeClient([refusal(code, reason, retry, { receipt, metadata: { balance: '1' } })]);
    const error = await catchApiError(generate(fake));
    expect(error).toMatchObject({ name: 'ApiError', message: `${reason}.`, code, reason, retry, receipt });
    expect(error.metadata).toEqual({ balance: '1', retry });
    expect(error.body).toMatchObject({ error: { code }, receipt });
    expect(fake.requests).toHaveLength(1);
  });

  test('the field violations of an invalid request', async () => {
    const violation = { field: 'prompt', description: 'must not be empty' };
    const details = [
      { reason: 'INVALID_REQUEST', metadata: { retry: 'no' } },
      { fieldViolations: [violation] },
    ];
    const fake = createFakeClient([
      () => Response.json({ error: { message: 'No.', details } }, { status: 400 }),
    ]);
    expect((await catchApiError(generate(fake))).fieldViolations).toEqual([violation]);
  });

  test.each([
    ['HTML', html(403), '<h1>Not the studio</h1>'],
    ['JSON of another shape', () => Response.json({ error: 'no' }, { status: 404 }), { error: 'no' }],
    [
      'details of another shape',
      () => Response.json({ error: { details: {} } }, { status: 400 }),
      { error: { details: {} } },
    ],
  ])('a refusal that is not from the functions: %s', async (_, answer, body) => {
    const fake = createFakeClient([answer]);
    expect(await catchApiError(generate(fake))).toMatchObject({ reason: 'UNKNOWN', retry: 'no', body });
    expect(fake.requests).toHaveLength(1);
  });
});
