/** Functions that answer as a test says, without a server, and a client of them in a time of its own. */
import { expect } from 'vitest';
import type { GenerateInput, Receipt } from '../../shared/contract.ts';
import { ApiError, type ClientOptions, createClient } from '../../web/client.ts';

export const request: GenerateInput = { prompt: 'A banana', tier: 'standard', orientation: 'landscape' };
export const receipt: Receipt = { charged: 1, refunded: 0, balance: 73, sequence: 2 };
export const succeeded = () => Response.json({ generation: { id: '0'.repeat(32) }, receipt });
export const noNetwork = () => Promise.reject(new TypeError('fetch failed'));
export const html = (status: number) => () => new Response('<h1>Not the studio</h1>', { status });

export function refusal(
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

export type FakeAnswer = (init: RequestInit) => Response | Promise<Response>;

/** A client whose server gives these answers one after the other, the last for ever. */
export function createFakeClient(answers: FakeAnswer[], options: Partial<ClientOptions> = {}) {
  const requests: { path: string; headers: Headers; body: unknown }[] = [];
  const waits: number[] = [];
  let clock = Date.parse('2026-01-01');
  const client = createClient({
    token: async (anew) => (anew ? 'second' : 'first'),
    async fetch(path, init = {}) {
      requests.push({ path: String(path), headers: new Headers(init.headers), body: init.body });
      const answer = answers[Math.min(requests.length, answers.length) - 1];
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
  const keys = () => requests.map(({ headers }) => headers.get('idempotency-key'));
  const tokens = () => requests.map(({ headers }) => headers.get('authorization'));
  return { client, requests, waits, keys, tokens };
}

export const generate = ({ client }: ReturnType<typeof createFakeClient>) =>
  client.generate(request, { key: 'key-1' });
export const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => error,
  );
export const catchApiError = async (promise: Promise<unknown>) => {
  const error = await thrown(promise);
  if (!(error instanceof ApiError)) throw error;
  return error;
};
/** The longest backoff of each wait; jitter takes off up to half. */
export function expectBackoff(waits: number[], most: number[]) {
  expect(waits).toHaveLength(most.length);
  for (const [i, ms] of waits.entries()) {
    expect(ms).toBeLessThanOrEqual(most[i] ?? 0);
    expect(ms).toBeGreaterThanOrEqual((most[i] ?? 0) / 2);
  }
}
