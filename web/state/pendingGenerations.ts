/** Generations on their way: asked for, waited for, asked for again with the same key, done or failed. */
import { type Signal, signal } from '@preact/signals';
import type { GenerateInput, Generation, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../client.ts';
import { costText, failureCreditsText, problemText } from '../words.ts';
import { announce } from './announce.ts';
import type { Memory, UnsettledRequest } from './storage.ts';

export type Progress =
  | { state: 'painting' }
  /** Asked again after a wait, with what the last answer said. */
  | { state: 'waiting'; error: ApiError }
  | { state: 'done'; generation: Generation; receipt: Receipt }
  /** Failed for good, or given up while it is not settled: the error tells which. */
  | { state: 'failed'; error: unknown };

export type PendingGeneration = UnsettledRequest & { progress: Signal<Progress> };

export function createPendingGenerations(options: {
  client: Client;
  memory: Memory;
  onReceipt: (receipt: Receipt | undefined) => void;
  onCreated: (generation: Generation) => void;
}) {
  const { client, memory, onReceipt, onCreated } = options;
  const list = signal<PendingGeneration[]>([]);
  const leaving = new AbortController();

  const remove = (key: string) => {
    list.value = list.value.filter((pending) => pending.key !== key);
  };

  function begin(asked: UnsettledRequest): void {
    if (list.value.some(({ key }) => key === asked.key)) return;
    // What is done has had its time as soon as something new is asked for.
    const stay = list.value.filter(({ progress }) => progress.value.state !== 'done');
    const pending = { ...asked, progress: signal<Progress>({ state: 'painting' }) };
    list.value = [pending, ...stay];
    void run(pending);
  }

  async function run({ key, request, ownPrompt, progress }: PendingGeneration): Promise<void> {
    progress.value = { state: 'painting' };
    try {
      const { generation, receipt } = await client.generate(request, {
        key,
        signal: leaving.signal,
        onAsk: () => {
          progress.value = { state: 'painting' };
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
      if (leaving.signal.aborted) return;
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
    const asked = { key: crypto.randomUUID(), request, askedAt: Date.now(), ownPrompt };
    // Before it is sent: whatever happens to this page, the key is known.
    void memory.saveRequest(asked).then(() => begin(asked));
  };

  return {
    list,
    submit,

    /** Asks for everything that is not settled with its key again. */
    async resume(): Promise<void> {
      for (const asked of await memory.listRequests()) begin(asked);
    },

    /** With the same key while nothing is settled, which can never charge twice; else as a new one. */
    retry(pending: PendingGeneration): void {
      const { progress, request, ownPrompt, key } = pending;
      const now = progress.value;
      // What runs again already has not been asked for once more.
      if (now.state !== 'failed' || !list.value.includes(pending)) return;
      if (!isSettled(now.error)) {
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

    /** A painting whose image is gone has nothing to show. */
    forget(id: string): void {
      list.value = list.value.filter(
        ({ progress: { value } }) => value.state !== 'done' || value.generation.id !== id,
      );
    },

    close: () => leaving.abort(),
  };
}
