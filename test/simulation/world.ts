/**
 * Virtual time and the order of events. Everything in a history is an event at a time. The world runs the
 * earliest event, waits until all promises that it triggers are settled, and runs the next. The seed decides
 * the order of two events at the same time.
 */
import { createRandom, type Random } from './random.ts';

/** Something that can be stopped for a while or killed, together with everything that runs in it. */
export type Actor = {
  name: string;
  dead: boolean;
  stoppedUntil: number;
  /** Until then its connection to the database is silent. */
  silentUntil: number;
};

/** A check that failed: its name and the details. Ends the history. */
export class Broken extends Error {
  override name = 'Broken';
  readonly check: string;
  constructor(check: string, details: string) {
    super(`${check}: ${details}`);
    this.check = check;
  }
}

export type World = {
  /** Milliseconds since 1970. */
  now(): number;
  random: Random;
  /** Runs `act` after this many milliseconds, unless the actor is dead by then. Returns a function that cancels it. */
  after(milliseconds: number, what: string, act: () => void, actor?: Actor): () => void;
  /** Waits, as an actor. */
  sleep(milliseconds: number, actor?: Actor): Promise<void>;
  /** Runs events until none is left, or until `until` is settled. */
  run(until?: Promise<unknown>): Promise<void>;
  /** Lets time pass without running events. */
  advance(milliseconds: number): void;
  /** Counts an occurrence of this kind and adds it to the trace. */
  happened(kind: string, details?: () => string): void;
  /** Ends the history if the check does not hold. */
  check(holds: boolean, name: string, details: () => string): void;
  counts: Map<string, number>;
  trace: string[];
};

type Event = { at: number; tie: number; what: string; act: () => void; actor: Actor | undefined };

/** Most events of one history. One that is still running after so many never ends. */
const eventsMax = 60_000;
/** Far from the real time, so that code which reads the machine's clock is noticed. */
const startTime = Date.UTC(2020, 0, 1);

/** A world before its first event. Without `tracing` it keeps only the counts. Checks with a name in `unchecked` hold. */
export function createWorld(seed: number, tracing: boolean, unchecked?: ReadonlySet<string>): World {
  const random = createRandom(seed);
  const queue: Event[] = [];
  const counts = new Map<string, number>();
  const trace: string[] = [];
  let now = startTime;
  let events = 0;
  let broken: Broken | undefined;

  const isBefore = (a: Event, b: Event) => (a.at === b.at ? a.tie < b.tie : a.at < b.at);
  const note = (line: string) => {
    if (tracing) trace.push(`${((now - startTime) / 1000).toFixed(3).padStart(10)} ${line}`);
  };

  function insert(event: Event): void {
    let [low, high] = [0, queue.length];
    // Sorted latest first, so that the next event is the last element.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(event, queue[middle] as Event)) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, event);
  }

  function step(event: Event): void {
    const { actor } = event;
    if (actor?.dead) return;
    if (actor && actor.stoppedUntil > event.at) {
      event.at = actor.stoppedUntil + random.whole(0, 20);
      insert(event);
      return;
    }
    now = Math.max(now, event.at);
    note(event.what);
    event.act();
  }

  return {
    now: () => now,
    random,
    counts,
    trace,

    after(milliseconds, what, act, actor) {
      const event = { at: now + Math.max(0, milliseconds), tie: random.next(), what, act, actor };
      insert(event);
      return () => {
        const index = queue.indexOf(event);
        if (index >= 0) queue.splice(index, 1);
      };
    },

    sleep(milliseconds, actor) {
      return new Promise((resolve) => {
        this.after(milliseconds, `${actor?.name ?? 'a client'} wakes up`, resolve, actor);
      });
    },

    async run(until) {
      let isSettled = false;
      const settle = () => {
        isSettled = true;
      };
      until?.then(settle, settle);
      await untilQuiet();
      while (!isSettled && !broken) {
        const event = queue.pop();
        if (!event) break;
        events += 1;
        if (events > eventsMax)
          throw new Broken('the history comes to rest', `not after ${eventsMax} events`);
        step(event);
        await untilQuiet();
      }
      if (broken) throw broken;
      if (until && !isSettled)
        throw new Broken('the history comes to rest', 'something waits for an event that never happens');
    },

    advance(milliseconds) {
      now += Math.max(0, milliseconds);
    },

    happened(kind, details) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      if (tracing) note(`  ${kind}${details ? `: ${details()}` : ''}`);
    },

    check(holds, name, details) {
      if (holds || broken || unchecked?.has(name)) return;
      broken = new Broken(name, details());
      note(`BROKEN ${broken.message}`);
    },
  };
}

/** Waits until all promises have run: they run before the next turn of the event loop. */
const untilQuiet = () => new Promise<void>((resolve) => void setImmediate(resolve));
