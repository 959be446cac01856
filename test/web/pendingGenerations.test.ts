/** Which key a painting is asked for with, when it is asked for once more, and what this browser keeps of it. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { ApiError, type Client } from '../../web/client.ts';
import { createPendingGenerations } from '../../web/state/pendingGenerations.ts';
import { createMemory, type UnsettledRequest } from '../../web/state/storage.ts';
import { request } from './fakeFunctions.ts';

const createError = (retry: 'same_key' | 'new_key', reason = 'PROVIDER_ERROR') =>
  new ApiError('It failed.', { code: 502, reason, retry });

/** Paintings of a client that fails each time as it is told, and then is asked for ever. */
function createFailing(...errors: Error[]) {
  const kept: string[] = [];
  const sent: { key: string; kept: string[] }[] = [];
  const client = {
    generate: (_: unknown, { key = '' }) => {
      sent.push({ key, kept: [...kept] });
      const error = errors.shift();
      return error ? Promise.reject(error) : new Promise(() => {});
    },
  } as unknown as Client;
  const memory = {
    saveRequest: async ({ key }: UnsettledRequest) => void kept.push(key),
    deleteRequest: async (key: string) => void kept.splice(kept.indexOf(key), 1),
  } as ReturnType<typeof createMemory>;
  const ignored = () => {};
  const pendingGenerations = createPendingGenerations({
    client,
    memory,
    onReceipt: ignored,
    onCreated: ignored,
  });
  const only = () => pendingGenerations.list.value[0] ?? expect.unreachable('there is no painting');
  const untilFailed = () => vi.waitFor(() => expect(only().progress.value.state).toBe('failed'));
  return { pendingGenerations, sent, kept, only, untilFailed, keys: () => sent.map(({ key }) => key) };
}

test('the key is kept before it is sent, and until it is settled', async () => {
  const { pendingGenerations, sent, kept, untilFailed } = createFailing(
    createError('same_key'),
    createError('new_key'),
  );
  pendingGenerations.submit(request);
  await untilFailed();
  const [key] = sent.map((one) => one.key);
  expect([sent[0]?.kept, kept]).toEqual([[key], [key]]);
  pendingGenerations.retry(pendingGenerations.list.value[0] as never);
  await vi.waitFor(() => expect(kept).toEqual([]));
  expect(sent.map((one) => one.key)).toEqual([key, key]);
});

test.each([
  ['is not settled', createError('same_key'), 1],
  ['was refused by a proxy', createError('new_key', 'UNKNOWN'), 1],
  ['has failed for good', createError('new_key'), 2],
])('what %s is asked for once more, however often that is pressed', async (_, error, differentKeys) => {
  const { pendingGenerations, keys, only, untilFailed } = createFailing(error);
  pendingGenerations.submit(request);
  await untilFailed();
  const pending = only();
  pendingGenerations.retry(pending);
  pendingGenerations.retry(pending);
  await vi.waitFor(() => expect(keys()).toHaveLength(2));
  await new Promise(setImmediate);
  expect(keys()).toHaveLength(2);
  expect(new Set(keys()).size).toBe(differentKeys);
});

test('a browser that throws at the very mention of storage forgets, that is all', async () => {
  vi.stubGlobal('indexedDB', {
    open() {
      throw new DOMException('Not here', 'SecurityError');
    },
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const memory = createMemory('ann');
  await memory.saveRequest({ key: 'k', request, askedAt: 0 });
  await memory.saveOwnPrompt('id', 'mine');
  expect([await memory.getOwnPrompt('id'), await memory.listRequests()]).toEqual([undefined, []]);
  await memory.deleteRequest('k');
  await memory.clear();
});
