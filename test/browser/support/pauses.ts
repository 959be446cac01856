/** Holding the Gemini stand-in's answers, so that a test decides what happens while one is under way. */
import type { GeminiRequest } from '../../../local/fakes/gemini.ts';

/** One answer that is being held. */
export type Hold = {
  /** Resolves when the request has arrived. */
  reached: Promise<void>;
  letGo: () => void;
};

type Gate = { reached: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> };

/** Holds for a stand-in that is started with this `onRequest`. */
export function createHolds() {
  const all: Gate[] = [];
  const waiting: Record<'paint' | 'improvement', Gate[]> = { paint: [], improvement: [] };

  function holdNext(kind: 'paint' | 'improvement'): Hold {
    const gate = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    all.push(gate);
    waiting[kind].push(gate);
    return { reached: gate.reached.promise, letGo: () => gate.released.resolve() };
  }

  return {
    async onRequest({ model }: GeminiRequest): Promise<void> {
      const gate = waiting[model.includes('image') ? 'paint' : 'improvement'].shift();
      gate?.reached.resolve();
      await gate?.released.promise;
    },
    /** Holds the next painting that has no hold yet. */
    holdNextPaint: () => holdNext('paint'),
    /** Holds the next better prompt that has no hold yet. */
    holdNextImprovement: () => holdNext('improvement'),
    letAllGo(): void {
      for (const { released } of all) released.resolve();
    },
  };
}

export type Holds = ReturnType<typeof createHolds>;
