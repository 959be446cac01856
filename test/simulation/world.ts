/**
 * Virtual time and the order of events. Whatever happens in a history is an event with a moment: the world
 * takes the earliest, lets everything it sets off come to rest, and takes the next. Two events of one
 * moment come in an order that the seed decides.
 */
import { createRandom, type Random } from './random.ts';

/** Something that can be stopped for a while or for ever, with everything that goes on in it. */
export type Actor = { name: string; dead: boolean; stoppedUntil: number };

/** A promise that was broken: its name and the particulars. Ends the history. */
export class Broken extends Error {
  override name = 'Broken';
  readonly check: string;
  constructor(check: string, particulars: string) {
    super(`${check}: ${particulars}`);
    this.check = check;
  }
}

export type World = {
  /** Milliseconds since 1970. */
  now(): number;
  random: Random;
  /** Has `act` happen in so many milliseconds; never, where the actor is dead by then. Returns what calls it off. */
  after(milliseconds: number, what: string, act: () => void, actor?: Actor): () => void;
  /** Waits, as an actor. */
  sleep(milliseconds: number, actor?: Actor): Promise<void>;
  /** Lets events happen until there are none, or until `until` is settled. */
  run(until?: Promise<unknown>): Promise<void>;
  /** Lets time pass with nothing going on. */
  advance(milliseconds: number): void;
  /** Counts one more of a kind of happening, and notes it in the trace. */
  happened(kind: string, particulars?: () => string): void;
  /** Ends the history where a promise does not hold. */
  check(holds: boolean, name: string, particulars: () => string): void;
  counts: Map<string, number>;
  trace: string[];
};

type Event = { at: number; tie: number; what: string; act: () => void; actor: Actor | undefined };

/** Most events of one history: one that has not come to rest by then never will. */
const eventsMax = 60_000;
/** Long before the machine's own clock, so that whoever looks at that one is found out. */
const beginning = Date.UTC(2020, 0, 1);

/** A world before its first event. Without `tracing` nothing is kept of what happens but how often. */
export function createWorld(seed: number, tracing: boolean): World {
  const random = createRandom(seed);
  const queue: Event[] = [];
  const counts = new Map<string, number>();
  const trace: string[] = [];
  let now = beginning;
  let events = 0;
  let broken: Broken | undefined;

  const isBefore = (a: Event, b: Event) => (a.at === b.at ? a.tie < b.tie : a.at < b.at);
  const note = (line: string) => {
    if (tracing) trace.push(`${((now - beginning) / 1000).toFixed(3).padStart(10)} ${line}`);
  };

  function insert(event: Event): void {
    let [low, high] = [0, queue.length];
    // Latest first, so that the next event is taken from the end.
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
        this.after(milliseconds, `${actor?.name ?? 'somebody'} wakes up`, resolve, actor);
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
        if (events > eventsMax) throw new Broken('comes to rest', `not after ${eventsMax} events`);
        step(event);
        await untilQuiet();
      }
      if (broken) throw broken;
      if (until && !isSettled) throw new Broken('comes to rest', 'somebody waits for what never happens');
    },

    advance(milliseconds) {
      now += Math.max(0, milliseconds);
    },

    happened(kind, particulars) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      if (tracing) note(`  ${kind}${particulars ? `: ${particulars()}` : ''}`);
    },

    check(holds, name, particulars) {
      if (holds || broken) return;
      broken = new Broken(name, particulars());
      note(`BROKEN ${broken.message}`);
    },
  };
}

/** Until no promise has anything left to do: they all come before the next turn of the event loop. */
const untilQuiet = () => new Promise<void>((resolve) => void setImmediate(resolve));
