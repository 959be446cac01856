import { useEffect, useRef, useState } from 'preact/hooks'; // With React: from 'react'.
import type { GenerateAnswer, GenerateInput, Receipt } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../../web/client.ts';

type Asked = { key: string; request: GenerateInput };
export type GeneratedImage =
  | { phase: 'idle' }
  | { phase: 'painting'; waitingFor?: ApiError }
  | { phase: 'done'; answer: GenerateAnswer }
  /** `isOpen`: it may still become an image, or was never asked for; `askAgain` finds out. */
  | { phase: 'failed'; error: unknown; isOpen: boolean };

/** One generation at a time, which a reload does not lose. `onReceipt` is told every balance that comes. */
export function useGenerate(client: Client, uid: string, onReceipt: (receipt: Receipt) => void) {
  const [painting, setPainting] = useState<GeneratedImage>({ phase: 'idle' });
  const running = useRef<AbortController | undefined>(undefined);
  const place = `generation of ${uid}`;

  async function ask({ key, request }: Asked) {
    running.current?.abort();
    running.current = new AbortController();
    const { signal } = running.current;
    setPainting({ phase: 'painting' });
    try {
      const onWait = (error: ApiError) => {
        if (error.receipt) onReceipt(error.receipt);
        setPainting({ phase: 'painting', waitingFor: error });
      };
      const answer = await client.generate(request, { key, signal, onWait });
      localStorage.removeItem(place);
      onReceipt(answer.receipt);
      setPainting({ phase: 'done', answer });
    } catch (error) {
      // The component has gone. The image is painted all the same, and its key is kept.
      if (signal.aborted) return;
      const isOpen = !isSettled(error);
      if (!isOpen) localStorage.removeItem(place);
      if (error instanceof ApiError && error.receipt) onReceipt(error.receipt);
      setPainting({ phase: 'failed', error, isOpen });
    }
  }

  function askAgain() {
    const stored = localStorage.getItem(place);
    if (stored) void ask(JSON.parse(stored));
  }

  // After a reload, or a sign-in: the same key and the same request give the same image.
  useEffect(() => {
    askAgain();
    return () => running.current?.abort();
  }, [client, place]);

  return {
    painting,
    /** Asks again for what was left open, with its key. */
    askAgain,
    generate(request: GenerateInput) {
      const asked: Asked = { key: crypto.randomUUID(), request };
      // Before it is asked for: a key that is not kept cannot be found again.
      localStorage.setItem(place, JSON.stringify(asked));
      void ask(asked);
    },
  };
}

export function Generate({ client, uid }: { client: Client; uid: string }) {
  const [balance, setBalance] = useState<Receipt | undefined>(undefined);
  const { painting, askAgain, generate } = useGenerate(client, uid, (seen) =>
    setBalance((known) => (known && known.sequence > seen.sequence ? known : seen)),
  );
  const { phase } = painting;
  return (
    <>
      <p>{balance && `${balance.balance} credits`}</p>
      <button
        type="button"
        disabled={phase === 'painting'}
        onClick={() => generate({ prompt: 'A banana on the moon', tier: 'standard' })}
      >
        Generate · 1 credit
      </button>
      {phase === 'painting' && <p>{painting.waitingFor?.code === 0 ? 'No connection …' : 'Painting …'}</p>}
      {phase === 'done' && <img src={painting.answer.generation.image?.url} alt="A banana on the moon" />}
      {phase === 'failed' && <p role="alert">{String(painting.error)}</p>}
      {phase === 'failed' && painting.isOpen && (
        <button type="button" onClick={askAgain}>
          Ask again
        </button>
      )}
    </>
  );
}
