/** Generations on their way: asked for, waited for, asked for again with the same key, done or failed. */
import { type Signal, signal } from '@preact/signals';
import type { GenerateInput, Generation, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../client.ts';
import { failureCreditsText, paintedText, problemText } from '../words.ts';
import { announce } from './announce.ts';
import type { Asked, Memory } from './storage.ts';

export type Progress =
  | { state: 'painting' }
  /** Asked again after a wait, with what the last answer said. */
  | { state: 'waiting'; error: ApiError }
  | { state: 'done'; generation: Generation; receipt: Receipt }
  /** Failed for good, or given up while it is not settled: the error tells which. */
  | { state: 'failed'; error: unknown };

export type Painting = Asked & { progress: Signal<Progress> };

export function createPaintings(options: {
  client: Client;
  memory: Memory;
  onReceipt: (receipt: Receipt | undefined) => void;
  onPainted: (generation: Generation) => void;
}) {
  const { client, memory, onReceipt, onPainted } = options;
  const list = signal<Painting[]>([]);
  const leaving = new AbortController();

  const remove = (key: string) => {
    list.value = list.value.filter((painting) => painting.key !== key);
  };

  function begin(asked: Asked): void {
    if (list.value.some(({ key }) => key === asked.key)) return;
    // What is done has had its time as soon as something new is asked for.
    const stay = list.value.filter(({ progress }) => progress.value.state !== 'done');
    const painting = { ...asked, progress: signal<Progress>({ state: 'painting' }) };
    list.value = [painting, ...stay];
    void run(painting);
  }

  async function run({ key, request, ownPrompt, progress }: Painting): Promise<void> {
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
      if (ownPrompt) await memory.keepOwnPrompt(generation.id, ownPrompt);
      await memory.dropAsked(key);
      onReceipt(receipt);
      onPainted(generation);
      progress.value = { state: 'done', generation, receipt };
      announce(`Your image is ready. ${paintedText(receipt)}`, false);
    } catch (error) {
      if (leaving.signal.aborted) return;
      await fail(key, progress, error);
    }
  }

  async function fail(key: string, progress: Signal<Progress>, error: unknown): Promise<void> {
    if (error instanceof ApiError) onReceipt(error.receipt);
    if (isSettled(error)) await memory.dropAsked(key);
    progress.value = { state: 'failed', error };
    announce(`${problemText(error)} ${failureCreditsText(error)}`, false);
  }

  const ask = (request: GenerateInput, ownPrompt?: string) => {
    const asked = { key: crypto.randomUUID(), request, askedAt: Date.now(), ownPrompt };
    // Before it is sent: whatever happens to this page, the key is known.
    void memory.keepAsked(asked).then(() => begin(asked));
  };

  return {
    list,
    ask,

    /** Asks for everything that is not settled with its key again. */
    async resume(): Promise<void> {
      for (const asked of await memory.allAsked()) begin(asked);
    },

    /** With the same key while nothing is settled, which can never charge twice; else as a new one. */
    again(painting: Painting): void {
      const { progress, request, ownPrompt, key } = painting;
      const now = progress.value;
      // What runs again already has not been asked for once more.
      if (now.state !== 'failed' || !list.value.includes(painting)) return;
      if (!isSettled(now.error)) {
        void run(painting);
        return;
      }
      remove(key);
      ask(request, ownPrompt);
    },

    dismiss(key: string): void {
      remove(key);
      void memory.dropAsked(key);
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
