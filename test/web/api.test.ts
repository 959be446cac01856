import { describe, expect, test } from 'vitest';
import type { GenerateInput, Receipt } from '../../shared/contract.ts';
import { ApiError, createApi } from '../../web/api.ts';

const request: GenerateInput = { prompt: 'A banana', tier: 'standard', orientation: 'landscape' };
const receipt: Receipt = { charged: 1, refunded: 0, balance: 73, sequence: 2 };
const painted = () => Response.json({ generation: { id: '0'.repeat(32) }, receipt });
const noNetwork = () => Promise.reject(new TypeError('fetch failed'));

function refused(
  code: number,
  reason: string,
  retry: string,
  more: { after?: string; receipt?: Receipt } = {},
) {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, metadata: { retry } }];
  const body = { error: { code, message: `${reason}.`, details }, receipt: more.receipt };
  const headers: Record<string, string> = more.after === undefined ? {} : { 'retry-after': more.after };
  return () => Response.json(body, { status: code, headers });
}

/** A client whose server gives these answers one after the other, the last for ever. */
function clientOf(...answers: (() => Response | Promise<Response>)[]) {
  const asked: { path: string; headers: Headers }[] = [];
  const waits: number[] = [];
  let clock = 0;
  const api = createApi({
    token: async (anew) => (anew ? 'second' : 'first'),
    async fetch(path, init) {
      asked.push({ path: String(path), headers: new Headers(init?.headers) });
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      if (!answer) throw new Error('no answer');
      return answer();
    },
    async sleep(ms) {
      waits.push(ms);
      clock += ms;
    },
    now: () => clock,
  });
  return { api, asked, waits };
}

const generate = ({ api }: ReturnType<typeof clientOf>) => api.generate(request, 'key-1');
const failure = async (promise: Promise<unknown>) => {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof ApiError)) throw error;
  return error;
};

describe('what is not settled is asked for again with the same key', () => {
  test.each([
    [
      'after the time the answer names',
      refused(503, 'PROVIDER_OVERLOADED', 'same_key', { after: '7' }),
      7000,
    ],
    ['while it is being painted', refused(409, 'IN_PROGRESS', 'same_key', { after: '2' }), 2000],
    ['when no answer came', noNetwork, 1000],
    ['when a proxy answered', () => new Response('<h1>Bad gateway</h1>', { status: 502 }), 1000],
  ])('%s', async (_, first, waitMs) => {
    const client = clientOf(first, painted);
    expect(await generate(client)).toMatchObject({ receipt });
    expect(client.waits).toEqual([waitMs]);
    expect(client.asked.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['key-1', 'key-1']);
  });

  test('the receipt of one still running is told at once', async () => {
    const { api } = clientOf(refused(409, 'IN_PROGRESS', 'same_key', { after: '2', receipt }), painted);
    const told: unknown[] = [];
    await api.generate(request, 'key-1', { onWait: ({ details }) => told.push(details.receipt) });
    expect(told).toEqual([receipt]);
  });
});

describe('asking again has an end', () => {
  test('of attempts', async () => {
    const client = clientOf(noNetwork);
    expect((await failure(generate(client))).details).toMatchObject({
      reason: 'UNREACHABLE',
      retry: 'same_key',
    });
    expect(client.waits).toEqual([1000, 2000, 4000, 8000]);
  });

  test('of time, while it is being painted', async () => {
    const client = clientOf(refused(409, 'IN_PROGRESS', 'same_key', { after: '2' }));
    expect((await failure(generate(client))).details.reason).toBe('IN_PROGRESS');
    expect(client.waits).toHaveLength(120);
  });

  test('at once, where the wait would be longer than that', async () => {
    const client = clientOf(refused(503, 'PROVIDER_QUOTA', 'same_key', { after: '3600' }));
    expect((await failure(generate(client))).details.retryAfterMs).toBe(3_600_000);
    expect(client.asked).toHaveLength(1);
  });
});

test.each([
  [422, 'CONTENT_BLOCKED', 'new_key'],
  [402, 'INSUFFICIENT_CREDITS', 'no'],
])('what has failed for good is not asked for again: %i %s', async (code, reason, retry) => {
  const client = clientOf(refused(code, reason, retry, { receipt }));
  expect((await failure(generate(client))).details).toMatchObject({ code, reason, retry, receipt });
  expect(client.asked).toHaveLength(1);
});

test('a refused token is renewed once', async () => {
  const client = clientOf(refused(401, 'UNAUTHENTICATED', 'no'), painted);
  await generate(client);
  expect(client.asked.map(({ headers }) => headers.get('authorization'))).toEqual([
    'Bearer first',
    'Bearer second',
  ]);
  const stranger = clientOf(refused(401, 'UNAUTHENTICATED', 'no'));
  expect((await failure(generate(stranger))).details.code).toBe(401);
  expect(stranger.asked).toHaveLength(2);
});

test('a page is asked for by its token', async () => {
  const client = clientOf(() => Response.json({ entries: [] }));
  await client.api.ledger(10);
  await client.api.gallery(12, 'a+b');
  expect(client.asked.map(({ path }) => path)).toEqual([
    '/ledger?pageSize=10',
    '/gallery?pageSize=12&pageToken=a%2Bb',
  ]);
});
