/** A Gemini stand-in whose paints can be held, so that a test decides what happens while one is under way. */
import { startFakeGemini } from '../../local/fakes/gemini.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';

/** Start the stack with `GOOGLE_GEMINI_BASE_URL` set to its `url`. It paints one small picture, whatever is asked. */
export async function startPaintGate() {
  const held: { reached: () => void; released: Promise<void> }[] = [];
  const gemini = await startFakeGemini({
    apiKey: 'test-gemini-key',
    async onRequest() {
      const gate = held.shift();
      gate?.reached();
      await gate?.released;
    },
  });
  gemini.always(geminiFault.blank());

  return {
    url: gemini.url,
    script: gemini.script,
    close: gemini.close,

    /** Starts a generation, does `act` while it is being painted, then lets it end. Returns its answer. */
    async during<T extends { status: number }>(
      start: () => Promise<T>,
      act: () => Promise<unknown>,
    ): Promise<T> {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      held.push({ reached: reached.resolve, released: released.promise });
      const answer = start();
      const tooEarly = answer.then(({ status }) => {
        throw new Error(`It was answered with ${status} before it was painted`);
      });
      try {
        await Promise.race([reached.promise, tooEarly]);
        await act();
      } finally {
        released.resolve();
      }
      return answer;
    },
  };
}
