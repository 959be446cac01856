/** What the client does with each kind of answer to `generate`, and with none. */
import { describe, expect, test } from 'vitest';
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

describe('what is not settled is asked for again with the same key', () => {
  test.each<[string, FakeAnswer, number | undefined]>([
    [
      'after the time the answer names',
      refusal(503, 'PROVIDER_OVERLOADED', 'same_key', { after: '7' }),
      7000,
    ],
    [
      'at the date the answer names',
      refusal(503, 'PROVIDER_OVERLOADED', 'same_key', { after: 'Thu, 01 Jan 2026 00:00:09 GMT' }),
      9000,
    ],
    ['but never at once', refusal(429, 'RATE_LIMITED', 'same_key', { after: '0' }), 1000],
    ['while it is being painted', refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' }), 2000],
    ['when no answer came', noNetwork, undefined],
    ['when Hosting gave up waiting', html(504), undefined],
    ['when a proxy answered', html(502), undefined],
    ['when something else answered that all is well', html(200), undefined],
    ['when Cloud Run had no instance', html(429), undefined],
    ['when the answer is JSON of nobody', () => Response.json(null), undefined],
  ])('%s', async (_, first, waitMs) => {
    const fake = createFakeClient([first, succeeded]);
    expect(await generate(fake)).toMatchObject({ receipt, replayed: false });
    if (waitMs === undefined) expectBackoff(fake.waits, [2000]);
    else expect(fake.waits).toEqual([waitMs]);
    expect(fake.keys()).toEqual(['key-1', 'key-1']);
    expect(fake.requests.map(({ body }) => body)).toEqual(Array(2).fill(JSON.stringify(request)));
  });

  test('one that the client made up where none is given, another for each generation', async () => {
    const fake = createFakeClient([noNetwork, succeeded]);
    await fake.client.generate(request);
    await fake.client.generate(request);
    const [first, again, other] = fake.keys();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('the receipt of one still running is told at once, and every asking', async () => {
    const { client } = createFakeClient([
      refusal(409, 'IN_PROGRESS', 'same_key', { after: '2', receipt }),
      succeeded,
    ]);
    const told: unknown[] = [];
    await client.generate(request, {
      onAttempt: () => told.push('ask'),
      onWait: (error, waitMs) => told.push(error.receipt, waitMs),
    });
    expect(told).toEqual(['ask', receipt, 2000, 'ask']);
  });

  test('a stored answer is told apart from a new one', async () => {
    const replay = () => Response.json({ receipt }, { headers: { 'idempotent-replayed': 'true' } });
    expect(await generate(createFakeClient([replay]))).toEqual({ receipt, replayed: true });
  });
});

describe('asking again has an end', () => {
  test('of attempts, each wait longer than the last', async () => {
    const fake = createFakeClient([noNetwork]);
    const error = await catchApiError(generate(fake));
    expect(error).toMatchObject({ code: 0, reason: 'UNREACHABLE', retry: 'same_key' });
    expect(error.cause).toBeInstanceOf(TypeError);
    expectBackoff(fake.waits, [2000, 4000, 8000, 15_000]);
  });

  test('of time, while it is being painted', async () => {
    const fake = createFakeClient([refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' })]);
    expect((await catchApiError(generate(fake))).reason).toBe('IN_PROGRESS');
    expect(fake.waits).toHaveLength(120);
  });

  test('and being painted is no attempt', async () => {
    const running = refusal(409, 'IN_PROGRESS', 'same_key', { after: '2' });
    const fake = createFakeClient([noNetwork, noNetwork, noNetwork, noNetwork, running, running, succeeded]);
    expect(await generate(fake)).toMatchObject({ receipt });
  });

  test('at once, where the wait would be longer than that', async () => {
    const fake = createFakeClient([refusal(503, 'PROVIDER_QUOTA', 'same_key', { after: '3600' })]);
    expect((await catchApiError(generate(fake))).retryAfterMs).toBe(3_600_000);
    expect(fake.requests).toHaveLength(1);
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
    const fake = createFakeClient([refusal(code, reason, retry, { receipt, metadata: { balance: '1' } })]);
    const error = await catchApiError(generate(fake));
    expect(error).toMatchObject({ name: 'ApiError', message: `${reason}.`, code, reason, retry, receipt });
    expect(error.metadata).toEqual({ balance: '1', retry });
    expect(error.body).toMatchObject({ error: { code }, receipt });
    expect(fake.requests).toHaveLength(1);
  });

  test('the fields of a request that does not parse', async () => {
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
  ])('a refusal that is not of the functions: %s', async (_, answer, body) => {
    const fake = createFakeClient([answer]);
    expect(await catchApiError(generate(fake))).toMatchObject({ reason: 'UNKNOWN', retry: 'no', body });
    expect(fake.requests).toHaveLength(1);
  });
});
