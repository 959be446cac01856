/** Holds calls to the model, so that a test decides what happens while an image is being generated. */
import { startFakeGemini } from '../../local/fakes/gemini.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';

/** A gate in front of a model. Pass its `onRequest` to the fake Gemini. */
export function createModelGate() {
  const held: { reached: () => void; released: Promise<void> }[] = [];
  let allReleased: Promise<void> | undefined;

  /** Holds the next call to the model, made by `start`. Returns when the model has received it. */
  async function hold<T extends { status: number }>(
    start: () => Promise<T>,
  ): Promise<{ reply: Promise<T>; release: () => void }> {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    held.push({ reached: reached.resolve, released: released.promise });
    const reply = start();
    const tooEarly = reply.then(({ status }) => {
      throw new Error(`The reply came with status ${status} before the model was called`);
    });
    await Promise.race([reached.promise, tooEarly]);
    return { reply, release: released.resolve };
  }

  return {
    hold,

    async onRequest() {
      const gate = held.shift();
      gate?.reached();
      await (gate?.released ?? allReleased);
    },

    /** Holds every call from now on, until the returned function is called. */
    holdAll(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      allReleased = promise;
      return () => {
        allReleased = undefined;
        resolve();
      };
    },

    /** Starts a generation and runs `act` while the model is held, then releases it. Returns the reply. */
    async during<T extends { status: number }>(
      start: () => Promise<T>,
      act: () => Promise<unknown>,
    ): Promise<T> {
      const { reply, release } = await hold(start);
      try {
        await act();
      } finally {
        release();
      }
      return reply;
    },
  };
}

/** A fake Gemini behind a gate. It answers every prompt with the same small image. */
export async function startGatedGemini() {
  const { onRequest, ...gate } = createModelGate();
  const gemini = await startFakeGemini({ apiKey: 'test-gemini-key', onRequest });
  const image = geminiFault.blank();
  gemini.always(image);
  return {
    ...gemini,
    ...gate,
    /** Answers with an image again, after `always` with something else. */
    alwaysImage: () => gemini.always(image),
  };
}

export type GatedGemini = Awaited<ReturnType<typeof startGatedGemini>>;
