import { useEffect, useRef, useState } from 'preact/hooks'; // With React: from 'react'.
import type { GenerateAnswer, GenerateInput, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../../web/client.ts';

type StoredRequest = { key: string; request: GenerateInput };
export type GeneratedImage =
  | { phase: 'idle' }
  | { phase: 'generating'; waitingFor?: ApiError }
  | { phase: 'done'; answer: GenerateAnswer }
  /** `isOpen`: the outcome is not final, or not known. `retry` finds out. */
  | { phase: 'failed'; error: unknown; isOpen: boolean };

/** One generation at a time. It survives a reload. `onReceipt` gets every receipt. */
export function useGenerate(client: Client, uid: string, onReceipt: (receipt: Receipt) => void) {
  const [image, setImage] = useState<GeneratedImage>({ phase: 'idle' });
  const running = useRef<AbortController | undefined>(undefined);
  const storageKey = `generation of ${uid}`;

  async function send({ key, request }: StoredRequest) {
    running.current?.abort();
    running.current = new AbortController();
    const { signal } = running.current;
    setImage({ phase: 'generating' });
    try {
      const onWait = (error: ApiError) => {
        if (error.receipt) onReceipt(error.receipt);
        setImage({ phase: 'generating', waitingFor: error });
      };
      const answer = await client.generate(request, { key, signal, onWait });
      localStorage.removeItem(storageKey);
      onReceipt(answer.receipt);
      setImage({ phase: 'done', answer });
    } catch (error) {
      // The component was unmounted. The generation continues, and its key stays in storage.
      if (signal.aborted) return;
      const isOpen = !isSettled(error);
      if (!isOpen) localStorage.removeItem(storageKey);
      if (error instanceof ApiError && error.receipt) onReceipt(error.receipt);
      setImage({ phase: 'failed', error, isOpen });
    }
  }

  function retry() {
    const stored = localStorage.getItem(storageKey);
    if (stored) void send(JSON.parse(stored));
  }

  // After a reload or a sign-in: the same key and the same request return the same image.
  useEffect(() => {
    retry();
    return () => running.current?.abort();
  }, [client, storageKey]);

  return {
    image,
    /** Sends the stored request again, with the same key. */
    retry,
    generate(request: GenerateInput) {
      const stored: StoredRequest = { key: crypto.randomUUID(), request };
      // Stored before the call: without the key, nobody can find the generation after a reload.
      localStorage.setItem(storageKey, JSON.stringify(stored));
      void send(stored);
    },
  };
}

export function Generate({ client, uid }: { client: Client; uid: string }) {
  const [balance, setBalance] = useState<Receipt | undefined>(undefined);
  const { image, retry, generate } = useGenerate(client, uid, (seen) =>
    setBalance((known) => (known && known.sequence > seen.sequence ? known : seen)),
  );
  const { phase } = image;
  return (
    <>
      <p>{balance && `${balance.balance} credits`}</p>
      <button
        type="button"
        disabled={phase === 'generating'}
        onClick={() => generate({ prompt: 'A banana on the moon', tier: 'standard' })}
      >
        Generate · 1 credit
      </button>
      {phase === 'generating' && <p>{image.waitingFor?.code === 0 ? 'No connection …' : 'Generating …'}</p>}
      {phase === 'done' && <img src={image.answer.generation.image?.url} alt="A banana on the moon" />}
      {phase === 'failed' && <p role="alert">{String(image.error)}</p>}
      {phase === 'failed' && image.isOpen && (
        <button type="button" onClick={retry}>
          Ask again
        </button>
      )}
    </>
  );
}
