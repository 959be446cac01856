/** Time and chance, as far as the studio waits or draws lots: a parameter, so that a test can have its own. */
import { setTimeout as sleep } from 'node:timers/promises';

export type Clock = {
  /** Milliseconds since 1970, by this machine: for what is shown or compared with a vendor's calendar. */
  now(): number;
  /** Milliseconds since some fixed moment; never runs backwards. */
  elapsed(): number;
  /** Waits; rejects with the signal's reason when it aborts. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** From 0 up to but not including 1. */
  random(): number;
};

/** The machine's own. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async pause(milliseconds, signal) {
    try {
      await sleep(milliseconds, undefined, signal && { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
  random: Math.random,
};
