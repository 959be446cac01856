import { useEffect, useRef, useState } from 'preact/hooks'; // With React: from 'react'.
import type { GenerateAnswer, GenerateInput, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../../web/client.ts';

type StoredRequest = { key: string; request: GenerateInput };
export type GeneratedImage =
  | { phase: 'idle' }
  | { phase: 'generating'; waitingFor?: ApiError }
  | { phase: 'done'; answer: GenerateAnswer }
  /** `isOpen`: the image may still come, or the request never arrived. `retry` finds out. */
  | { phase: 'failed'; error: unknown; isOpen: boolean };

/** One generation at a time, which survives a reload. `onReceipt` gets every receipt. */
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
      // The component was unmounted. The image is generated all the same, and its key is stored.
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

  // After a reload or a sign-in the same key and the same request give the same image.
  useEffect(() => {
    retry();
    return () => running.current?.abort();
  }, [client, storageKey]);

  return {
    image,
    /** Repeats an open request with its key. */
    retry,
    generate(request: GenerateInput) {
      const stored: StoredRequest = { key: crypto.randomUUID(), request };
      // Stored before the request is sent: without its key an image cannot be found again.
      localStorage.setItem(storageKey, JSON.stringify(stored));
      void send(stored);
    },
  };
}

export function Generate({ client, uid }: { client: Client; uid: string }) {
  const [balance, setBalance] = useState<Receipt | undefined>(undefined);
  const { image, retry, generate } = useGenerate(client, uid, (next) =>
    setBalance((current) => (current && current.sequence > next.sequence ? current : next)),
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
          Try again
        </button>
      )}
    </>
  );
}
