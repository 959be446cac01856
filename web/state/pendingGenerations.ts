/** The generations of this visit: those that run, those that failed, and those that have become images. */
import { computed, type Signal, signal } from '@preact/signals';
import type { GenerateInput, Generation, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../client.ts';
import { text } from '../strings/en.ts';
import { costText, failureCreditsText, problemText } from '../strings/messages.ts';
import { announce } from './announce.ts';
import type { Memory, UnsettledRequest } from './storage.ts';

export type Progress =
  | { state: 'generating' }
  /** The client waits before its next attempt. `error` is the answer to the last attempt. */
  | { state: 'waiting'; error: ApiError }
  /** The image is in the gallery, in the place of this generation. */
  | { state: 'done'; generation: Generation }
  /** The client stopped. `isSettled(error)` is false if the generation may still succeed. */
  | { state: 'failed'; error: unknown };

export type PendingGeneration = UnsettledRequest & { progress: Signal<Progress> };

/** The list is newest first. `onReceipt` gets every receipt, including those of running generations. */
export function createPendingGenerations(options: {
  client: Client;
  memory: Memory;
  onReceipt: (receipt: Receipt | undefined) => void;
  onCreated: (generation: Generation) => void;
}) {
  const { client, memory, onReceipt, onCreated } = options;
  const list = signal<readonly PendingGeneration[]>([]);
  const closing = new AbortController();
  const having = (...states: Progress['state'][]) =>
    computed(() => list.value.filter(({ progress }) => states.includes(progress.value.state)));
  const running = having('generating', 'waiting');

  const remove = (key: string) => {
    list.value = list.value.filter((pending) => pending.key !== key);
  };

  function start(unsettled: UnsettledRequest): void {
    if (list.value.some(({ key }) => key === unsettled.key)) return;
    const pending = { ...unsettled, progress: signal<Progress>({ state: 'generating' }) };
    list.value = [pending, ...list.value];
    void run(pending);
  }

  async function run(pending: PendingGeneration): Promise<void> {
    const { key, request, progress } = pending;
    progress.value = { state: 'generating' };
    try {
      const { generation, receipt } = await client.generate(request, {
        key,
        signal: closing.signal,
        onAttempt: () => {
          progress.value = { state: 'generating' };
        },
        onWait(error) {
          onReceipt(error.receipt);
          if (error.reason !== 'IN_PROGRESS') progress.value = { state: 'waiting', error };
        },
      });
      await memory.deleteRequest(key);
      onReceipt(receipt);
      onCreated(generation);
      progress.value = { state: 'done', generation };
      if (request.group === undefined) announce(text.making.ready(costText(receipt)), 'overDialogs');
      else onGroupImage(request.group, receipt);
    } catch (error) {
      if (!closing.signal.aborted) await fail(pending, error);
    }
  }

  /** The newest receipt of each group of which not all are announced yet, and how many images have come. */
  const groups = new Map<string, { count: number; receipt: Receipt }>();

  function onGroupImage(group: string, receipt: Receipt): void {
    const { count = 0, receipt: last = receipt } = groups.get(group) ?? {};
    groups.set(group, { count: count + 1, receipt: last.sequence > receipt.sequence ? last : receipt });
    const words = takeGroupText(group);
    if (words !== '') announce(words, 'overDialogs');
  }

  /** What is said once the last image of a group has come or failed. Empty until then. */
  function takeGroupText(group = ''): string {
    const ready = groups.get(group);
    if (!ready || running.value.some(({ request }) => request.group === group)) return '';
    groups.delete(group);
    return text.making.groupReady(ready.count, ready.receipt.balance);
  }

  async function fail(pending: PendingGeneration, error: unknown): Promise<void> {
    const { key, progress } = pending;
    if (error instanceof ApiError) onReceipt(error.receipt);
    if (isSettled(error)) await memory.deleteRequest(key);
    progress.value = { state: 'failed', error };
    // A hidden generation comes back when it needs the user.
    if (!list.value.includes(pending)) list.value = [pending, ...list.value];
    const words = `${problemText(error)} ${failureCreditsText(error)} ${takeGroupText(pending.request.group)}`;
    announce(words.trim(), 'overDialogs');
  }

  async function submit(request: GenerateInput): Promise<void> {
    const unsettled = { key: crypto.randomUUID(), request, askedAt: Date.now() };
    // Save the key before the request is sent, so that a reload or a crash cannot lose it.
    await memory.saveRequest(unsettled);
    start(unsettled);
  }

  // Those with an unknown outcome go on under their own keys, which cannot charge twice.
  globalThis.addEventListener?.(
    'online',
    () => {
      for (const pending of list.value) {
        const { value } = pending.progress;
        if (value.state === 'failed' && !isSettled(value.error)) void run(pending);
      }
    },
    { signal: closing.signal },
  );

  return {
    list,
    running,
    failed: having('failed'),

    /** Asks for several images at once. Each is a generation with its own key, debit and refund. */
    submit(request: GenerateInput, count = 1): void {
      // The cache would answer each image of a group with the same one.
      const all = count > 1 ? { ...request, fresh: true, group: crypto.randomUUID() } : request;
      for (let i = 0; i < count; i += 1) void submit(all);
    },

    /** Continues every unsettled request of an earlier visit, each with its own key. */
    async resume(): Promise<void> {
      for (const unsettled of await memory.listRequests()) start(unsettled);
    },

    /**
     * Reuses the key while the outcome is unknown, so the user is never charged twice. A generation that failed for
     * good starts again under a new key.
     */
    retry(pending: PendingGeneration): void {
      const { progress, request, key } = pending;
      const current = progress.value;
      // The second click of a double click finds the generation running again, or gone from the list.
      if (current.state !== 'failed' || !list.value.includes(pending)) return;
      if (!isSettled(current.error)) {
        void run(pending);
        return;
      }
      remove(key);
      void submit(request);
    },

    /** Hides a running generation. It goes on; its image comes into the gallery, and a failure is shown. */
    hide: remove,

    dismiss(key: string): void {
      remove(key);
      void memory.deleteRequest(key);
    },

    /** Forgets the generation of a deleted image. @param id of the generation */
    removeImage(id: string): void {
      list.value = list.value.filter(
        ({ progress: { value } }) => value.state !== 'done' || value.generation.id !== id,
      );
    },

    /** Stops waiting. The server finishes what is running, and the keys stay saved. */
    close: () => closing.abort(),
  };
}
