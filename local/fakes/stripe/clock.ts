export type Clock = {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Stripe's unit. */
  seconds: () => number;
  /** Moves the clock to a time, also back: what happens then has happened in the past. It runs on from there. */
  set: (ms: number) => void;
  advance: (ms: number) => void;
};

/** The clock of all objects. It starts with `now`, and `onChange` is called after every move. */
export function createClock(now: () => number, onChange: () => void): Clock {
  let offset = 0;
  const advance = (ms: number) => {
    offset += ms;
    onChange();
  };
  return {
    now: () => now() + offset,
    seconds: () => Math.floor((now() + offset) / 1000),
    set: (ms) => advance(ms - now() - offset),
    advance,
  };
}
