/** A client whose fetch, sleep and clock are fakes: a test scripts the answers, and no time passes. */
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

/** The answers are given in order; the last one repeats. `waits` has the milliseconds of each sleep. */
export function createFakeClient(answers: FakeAnswer[], options: Partial<ClientOptions> = {}) {
  const requests: { path: string; headers: Headers; body: unknown }[] = [];
  const waits: number[] = [];
  let clock = Date.parse('2026-01-01');
  const client = createClient({
    token: async (forceRefresh) => (forceRefresh ? 'second' : 'first'),
    async fetch(path, init = {}) {
      requests.push({ path: String(path), headers: new Headers(init.headers), body: init.body });
      const answer = answers[Math.min(requests.length, answers.length) - 1];
      if (!answer) throw new Error('The test scripted no answer');
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
export const catchError = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The promise did not reject'),
    (error: unknown) => error,
  );
export const catchApiError = async (promise: Promise<unknown>) => {
  const error = await catchError(promise);
  if (!(error instanceof ApiError)) throw error;
  return error;
};
/** @param maxMs the maximum of each wait; jitter shortens a wait by up to half */
export function expectBackoff(waits: number[], maxMs: number[]) {
  expect(waits).toHaveLength(maxMs.length);
  for (const [i, ms] of waits.entries()) {
    expect(ms).toBeLessThanOrEqual(maxMs[i] ?? 0);
    expect(ms).toBeGreaterThanOrEqual((maxMs[i] ?? 0) / 2);
  }
}
