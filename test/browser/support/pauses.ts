/** Holding the Gemini stand-in's answers, so that a test decides what happens while one is under way. */
import type { GeminiRequest } from '../../../local/fakes/gemini.ts';

/** One answer that is being held. */
export type Pause = {
  /** Resolves when the request has arrived. */
  reached: Promise<void>;
  release: () => void;
};

type Gate = { reached: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> };

/** Holds for a stand-in that is started with this `onRequest`. */
export function createPauses() {
  const all: Gate[] = [];
  const waiting: Record<'paint' | 'improvement', Gate[]> = { paint: [], improvement: [] };

  function pauseNext(kind: 'paint' | 'improvement'): Pause {
    const gate = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    all.push(gate);
    waiting[kind].push(gate);
    return { reached: gate.reached.promise, release: () => gate.released.resolve() };
  }

  return {
    async onRequest({ model }: GeminiRequest): Promise<void> {
      const gate = waiting[model.includes('image') ? 'paint' : 'improvement'].shift();
      gate?.reached.resolve();
      await gate?.released.promise;
    },
    /** Holds the next painting that has no hold yet. */
    pauseNextImage: () => pauseNext('paint'),
    /** Holds the next better prompt that has no hold yet. */
    pauseNextImprovement: () => pauseNext('improvement'),
    releaseAll(): void {
      for (const { released } of all) released.resolve();
    },
  };
}

export type Pauses = ReturnType<typeof createPauses>;
