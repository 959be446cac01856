/** What goes wrong on the way to the database and back: how often, in which ways, and whether it was done all the same. */

import { DeadlinePassed } from '../../shared/core/deadline.ts';
import {
  CommitRejected,
  type Database,
  type PageRequest,
  type TotalRequest,
  type Write,
} from '../../shared/database/database.ts';
import type { MemoryStore } from './memoryDatabase.ts';
import type { Actor, World } from './world.ts';

/** How much goes wrong in a history; all of it stops for its end. */
export type Weather = {
  /** Share of the database's calls that fail in some way. */
  database: number;
  /** Share of paints, uploads and deletions that fail in some way. */
  upstream: number;
  /** Share of calls that come to be delivered late. */
  slow: number;
  /** From when on nothing is left of any trouble with the database, milliseconds since 1970. */
  calmFrom: number;
};

/** How long a call waits for its answer before it is given up, milliseconds. */
const operationMs = 10_000;
/** How long after that a commit may still land: the client library's retries are many. */
const landingMsMax = 300_000;
/** google.rpc codes: DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE. */
const codes = [4, 10, 13, 14];

type Fate =
  | 'fails'
  | 'fails but is done'
  | 'is rejected but was done'
  | 'hangs'
  | 'hangs and lands late'
  | 'aborts';

/** The database as one instance sees it, through a network with weather. */
export function databaseThrough(world: World, weather: Weather, store: MemoryStore, actor: Actor): Database {
  const { random, happened } = world;
  /** How many more commits in a row are ABORTED. */
  let abortsLeft = 0;

  const delay = () =>
    random.chance(weather.slow) ? random.whole(100, 4_000) : random.pick([1, 2, 2, 3, 5, 8, 13]);

  /** Calls the store once the call has arrived, and brings back what comes of it. */
  function call<T>(what: string, execute: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      world.after(delay(), `${actor.name} ${what}`, () => {
        let deliver: () => void;
        try {
          const result = execute();
          deliver = () => resolve(result);
        } catch (error) {
          world.happened('commit rejected', () => String(error));
          deliver = () => reject(error);
        }
        world.after(delay(), `${actor.name} hears of ${what}`, deliver, actor);
      });
    });
  }

  function failing<T>(what: string, milliseconds: number, error: Error): Promise<T> {
    return new Promise((_, reject) => {
      world.after(
        milliseconds,
        `${actor.name} hears that ${what} failed: ${error}`,
        () => reject(error),
        actor,
      );
    });
  }

  const tooLate = (what: string) => new DeadlinePassed(`${what} took more than ${operationMs} ms`);
  const coded = () => Object.assign(new Error('an injected fault'), { code: random.pick(codes) });
  const ignoring = (act: () => unknown) => () => {
    try {
      act();
    } catch (error) {
      world.happened('commit rejected', () => String(error));
    }
  };

  function read<T>(what: string, execute: () => T): Promise<T> {
    if (!random.chance(weather.database)) return call(what, execute);
    if (random.chance(0.2)) {
      happened('fault: a read hangs');
      return failing(what, operationMs, tooLate(what));
    }
    happened('fault: a read fails');
    return failing(what, delay(), coded());
  }

  function fateOf(): Fate | undefined {
    if (abortsLeft > 0) {
      abortsLeft -= 1;
      return 'aborts';
    }
    if (!random.chance(weather.database)) return undefined;
    const fate = random.weighted<Fate>({
      fails: 3,
      'fails but is done': 4,
      'is rejected but was done': 2,
      hangs: 1,
      'hangs and lands late': 2,
      aborts: 2,
    });
    if (fate === 'aborts') abortsLeft = random.whole(0, 4);
    return fate;
  }

  function commit(writes: readonly Write[]) {
    const what = `commits ${writes.map(nameOf).join(', ')}`;
    const execute = () => store.commit(writes);
    const fate = fateOf();
    if (!fate) return call(what, execute);
    happened(`fault: a commit ${fate}`);
    const soon = delay();
    switch (fate) {
      case 'fails':
        return failing<never>(what, soon, coded());
      case 'aborts':
        return failing<never>(what, soon, new CommitRejected('aborted'));
      case 'fails but is done':
      case 'is rejected but was done':
        world.after(soon, `${actor.name} ${what}, unheard`, ignoring(execute));
        return failing<never>(
          what,
          soon + delay(),
          fate === 'fails but is done' ? coded() : new CommitRejected('by a retry of its own'),
        );
      case 'hangs and lands late':
        world.after(random.whole(0, landingMsMax), `${actor.name} ${what}, long given up`, ignoring(execute));
        return failing<never>(what, operationMs, tooLate(what));
      case 'hangs':
        return failing<never>(what, operationMs, tooLate(what));
    }
  }

  return {
    read: (paths) => read(`reads ${paths.join(', ')}`, () => store.read(paths)),
    commit,
    page: (request: PageRequest) => read(`queries ${request.collection}`, () => store.page(request)),
    totals: (path, requests: readonly TotalRequest[]) =>
      read(`adds up ${path ?? 'everything'}`, () => store.totals(path, requests)),
    close: async () => {},
  };
}

function nameOf(write: Write): string {
  if ('create' in write) return `+${write.create}`;
  if ('set' in write) return `=${write.set}`;
  return 'update' in write ? `~${write.update}` : `-${write.delete}`;
}
