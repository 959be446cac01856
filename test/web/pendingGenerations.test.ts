/** Which key each attempt of a generation uses, and what this browser stores about it. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { ApiError, type Client } from '../../web/client.ts';
import { announcement } from '../../web/state/announce.ts';
import { createPendingGenerations } from '../../web/state/pendingGenerations.ts';
import { createMemory, type UnsettledRequest } from '../../web/state/storage.ts';
import { receipt, request } from './fakeFunctions.ts';

const createError = (retry: 'same_key' | 'new_key', reason = 'PROVIDER_ERROR') =>
  new ApiError('It failed.', { code: 502, reason, retry });

/** Pending generations of a fake client that fails with each of these errors in turn, then never answers. */
function createWithFailures(...errors: Error[]) {
  const storedKeys: string[] = [];
  const attempts: { key: string; storedKeys: string[] }[] = [];
  const client = {
    generate: (_: unknown, { key = '' }) => {
      attempts.push({ key, storedKeys: [...storedKeys] });
      const error = errors.shift();
      return error ? Promise.reject(error) : new Promise(() => {});
    },
  } as unknown as Client;
  const memory = {
    saveRequest: async ({ key }: UnsettledRequest) => void storedKeys.push(key),
    deleteRequest: async (key: string) => void storedKeys.splice(storedKeys.indexOf(key), 1),
  } as ReturnType<typeof createMemory>;
  const ignore = () => {};
  const pendingGenerations = createPendingGenerations({
    client,
    memory,
    onReceipt: ignore,
    onCreated: ignore,
  });
  const getOnly = () => pendingGenerations.list.value[0] ?? expect.unreachable('the list is empty');
  const waitForFailure = () => vi.waitFor(() => expect(getOnly().progress.value.state).toBe('failed'));
  return {
    pendingGenerations,
    attempts,
    storedKeys,
    getOnly,
    waitForFailure,
    keys: () => attempts.map(({ key }) => key),
  };
}

test('the key is stored before the first attempt, and until the generation is settled', async () => {
  const { pendingGenerations, attempts, storedKeys, waitForFailure } = createWithFailures(
    createError('same_key'),
    createError('new_key'),
  );
  pendingGenerations.submit(request);
  await waitForFailure();
  const [key] = attempts.map((one) => one.key);
  expect([attempts[0]?.storedKeys, storedKeys]).toEqual([[key], [key]]);
  pendingGenerations.retry(pendingGenerations.list.value[0] as never);
  await vi.waitFor(() => expect(storedKeys).toEqual([]));
  expect(attempts.map((one) => one.key)).toEqual([key, key]);
});

test.each([
  ['an unsettled generation', createError('same_key'), 1],
  ['a generation that a proxy refused', createError('new_key', 'UNKNOWN'), 1],
  ['a generation that failed for good', createError('new_key'), 2],
])('a double click on retry retries %s only once', async (_, error, differentKeys) => {
  const { pendingGenerations, keys, getOnly, waitForFailure } = createWithFailures(error);
  pendingGenerations.submit(request);
  await waitForFailure();
  const pending = getOnly();
  pendingGenerations.retry(pending);
  pendingGenerations.retry(pending);
  await vi.waitFor(() => expect(keys()).toHaveLength(2));
  await new Promise(setImmediate);
  expect(keys()).toHaveLength(2);
  expect(new Set(keys()).size).toBe(differentKeys);
});

test('a browser that forbids storage stores nothing, without an error', async () => {
  vi.stubGlobal('indexedDB', {
    open() {
      throw new DOMException('Not here', 'SecurityError');
    },
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const memory = createMemory('ann');
  await memory.saveRequest({ key: 'k', request, askedAt: 0 });
  expect(await memory.listRequests()).toEqual([]);
  await memory.deleteRequest('k');
  await memory.clear();
});

test('images that were asked for together have one message, with the newest balance', async () => {
  const answers: PromiseWithResolvers<unknown>[] = [];
  const client = {
    generate() {
      const answer = Promise.withResolvers<unknown>();
      answers.push(answer);
      return answer.promise;
    },
  } as unknown as Client;
  const memory = { saveRequest: async () => {}, deleteRequest: async () => {} } as unknown as ReturnType<
    typeof createMemory
  >;
  const ignore = () => {};
  const { submit, running } = createPendingGenerations({
    client,
    memory,
    onReceipt: ignore,
    onCreated: ignore,
  });
  const { number, text } = announcement.value;
  submit(request, 3);
  await vi.waitFor(() => expect(answers).toHaveLength(3));
  // The newest receipt arrives first, and the last image fails.
  answers[1]?.resolve({ generation: { id: '1' }, receipt: { ...receipt, balance: 70, sequence: 9 } });
  answers[0]?.resolve({ generation: { id: '0' }, receipt: { ...receipt, balance: 71, sequence: 8 } });
  await vi.waitFor(() => expect(running.value).toHaveLength(1));
  expect(announcement.value).toMatchObject({ number, text });
  answers[2]?.reject(createError('new_key'));
  await vi.waitFor(() =>
    expect(announcement.value.text).toMatch(/^It failed\. .* 2 images are ready\. Balance: 70 credits\.$/),
  );
});
