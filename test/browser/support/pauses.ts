/** Pauses replies of the Gemini fake, so that a test controls what happens while a call is running. */
import type { GeminiRequest } from '../../../local/fakes/gemini.ts';

/** One paused reply. */
export type Pause = {
  /** Resolves when the request has arrived. */
  reached: Promise<void>;
  release: () => void;
};

type Gate = { reached: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> };

/** Pass `onRequest` to the fake when it starts. */
export function createPauses() {
  const gates: Gate[] = [];
  const waiting: Record<'image' | 'improvement', Gate[]> = { image: [], improvement: [] };

  function pauseNext(kind: 'image' | 'improvement'): Pause {
    const gate = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    gates.push(gate);
    waiting[kind].push(gate);
    return { reached: gate.reached.promise, release: () => gate.released.resolve() };
  }

  return {
    async onRequest({ model }: GeminiRequest): Promise<void> {
      const gate = waiting[model.includes('image') ? 'image' : 'improvement'].shift();
      gate?.reached.resolve();
      await gate?.released.promise;
    },
    /** Each call pauses one more image: the next one without a pause. */
    pauseNextImage: () => pauseNext('image'),
    /** Each call pauses one more prompt improvement: the next one without a pause. */
    pauseNextImprovement: () => pauseNext('improvement'),
    releaseAll(): void {
      for (const { released } of gates) released.resolve();
    },
  };
}

export type Pauses = ReturnType<typeof createPauses>;
