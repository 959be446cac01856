/** Generations that are running, were just completed, or failed. */
import { type Signal, signal } from '@preact/signals';
import type { GenerateInput, Generation, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../client.ts';
import { costText, failureCreditsText, problemText } from '../words.ts';
import { announce } from './announce.ts';
import type { Memory, UnsettledRequest } from './storage.ts';

export type Progress =
  | { state: 'generating' }
  /** The client waits before its next attempt. `error` is the answer to the last attempt. */
  | { state: 'waiting'; error: ApiError }
  | { state: 'done'; generation: Generation; receipt: Receipt }
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
  const list = signal<PendingGeneration[]>([]);
  const closing = new AbortController();

  const remove = (key: string) => {
    list.value = list.value.filter((pending) => pending.key !== key);
  };

  function start(unsettled: UnsettledRequest): void {
    if (list.value.some(({ key }) => key === unsettled.key)) return;
    // Hide finished results when a new image is requested.
    const unfinished = list.value.filter(({ progress }) => progress.value.state !== 'done');
    const pending = { ...unsettled, progress: signal<Progress>({ state: 'generating' }) };
    list.value = [pending, ...unfinished];
    void run(pending);
  }

  async function run({ key, request, ownPrompt, progress }: PendingGeneration): Promise<void> {
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
      if (ownPrompt) await memory.saveOwnPrompt(generation.id, ownPrompt);
      await memory.deleteRequest(key);
      onReceipt(receipt);
      onCreated(generation);
      progress.value = { state: 'done', generation, receipt };
      announce(`Your image is ready. ${costText(receipt)}`, false);
    } catch (error) {
      if (closing.signal.aborted) return;
      await fail(key, progress, error);
    }
  }

  async function fail(key: string, progress: Signal<Progress>, error: unknown): Promise<void> {
    if (error instanceof ApiError) onReceipt(error.receipt);
    if (isSettled(error)) await memory.deleteRequest(key);
    progress.value = { state: 'failed', error };
    announce(`${problemText(error)} ${failureCreditsText(error)}`, false);
  }

  const submit = (request: GenerateInput, ownPrompt?: string) => {
    const unsettled = { key: crypto.randomUUID(), request, askedAt: Date.now(), ownPrompt };
    // Save the key before the request is sent, so that a reload or a crash cannot lose it.
    void memory.saveRequest(unsettled).then(() => start(unsettled));
  };

  return {
    list,
    submit,

    /** Continues every unsettled request of an earlier visit, each with its own key. */
    async resume(): Promise<void> {
      for (const unsettled of await memory.listRequests()) start(unsettled);
    },

    /**
     * Reuses the key while the outcome is unknown, so the user is never charged twice. A generation that failed for
     * good starts again under a new key.
     */
    retry(pending: PendingGeneration): void {
      const { progress, request, ownPrompt, key } = pending;
      const current = progress.value;
      // The second click of a double click finds the generation running again, or gone from the list.
      if (current.state !== 'failed' || !list.value.includes(pending)) return;
      if (!isSettled(current.error)) {
        void run(pending);
        return;
      }
      remove(key);
      submit(request, ownPrompt);
    },

    dismiss(key: string): void {
      remove(key);
      void memory.deleteRequest(key);
    },

    /** Removes the finished card of a deleted image. @param id of the generation */
    removeImage(id: string): void {
      list.value = list.value.filter(
        ({ progress: { value } }) => value.state !== 'done' || value.generation.id !== id,
      );
    },

    /** Stops waiting. The server finishes what is running, and the keys stay saved. */
    close: () => closing.abort(),
  };
}
