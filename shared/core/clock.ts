/** Time and randomness as a parameter, so that tests can control both. */
import { setTimeout as sleep } from 'node:timers/promises';

export type Clock = {
  /** Milliseconds since 1970, for times that are shown or compared with a vendor's calendar. */
  now(): number;
  /** Milliseconds since a fixed moment; never goes back. */
  elapsed(): number;
  /** Waits; rejects with the signal's reason when it aborts. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** From 0 up to but not including 1. */
  random(): number;
};

/** The clock of this machine. */
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
