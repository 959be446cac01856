/** Faults between an instance and the database: how often they happen, and whether the commit succeeds all the same. */

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

/** How often calls fail in a history. All faults stop at its end. */
export type FaultRates = {
  /** Share of database calls that fail. */
  database: number;
  /** Share of image generations, uploads and deletions that fail. */
  upstream: number;
  /** Share of calls that are slow. */
  slow: number;
  /** From when on no database fault has an effect any more, milliseconds since 1970. */
  undisturbedFrom: number;
  /** False if the models and the image store fail only in ways that the last release knows. */
  hasNewFailures: boolean;
};

/** Timeout of a call, milliseconds. */
const operationMs = 2_500;
/** How long after it was sent a commit may take effect, milliseconds: a network that comes back delivers what was sent. */
const landingMsMax = 300_000;
/** How long a connection may be silent, milliseconds. */
const silencesMs = [4_000, 20_000, 60_000, 150_000];
/** google.rpc codes: DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE. */
const codes = [4, 10, 13, 14];

type Fate =
  | 'fails'
  | 'fails but is done'
  | 'is rejected but was done'
  | 'hangs'
  | 'hangs and lands late'
  | 'goes silent'
  | 'aborts';

/** The database as one instance sees it, with faults and delays. */
export function createFaultyDatabase(
  world: World,
  rates: FaultRates,
  store: MemoryStore,
  actor: Actor,
): Database {
  const { random, happened } = world;
  /** How many of the next commits are ABORTED. */
  let abortsLeft = 0;
  // All faults stop at the end of a history.
  const isSilent = () => rates.database > 0 && world.now() < actor.silentUntil;

  const delay = () =>
    random.chance(rates.slow) ? random.whole(100, 4_000) : random.pick([1, 2, 2, 3, 5, 8, 13]);

  /** Calls the store after a delay, and returns its result after another. */
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
        world.after(delay(), `${actor.name} gets the result of ${what}`, deliver, actor);
      });
    });
  }

  function fail<T>(what: string, milliseconds: number, error: Error): Promise<T> {
    return new Promise((_, reject) => {
      world.after(
        milliseconds,
        `${actor.name} gets an error of ${what}: ${error}`,
        () => reject(error),
        actor,
      );
    });
  }

  const createTimeout = (what: string) => new DeadlinePassed(`${what} took more than ${operationMs} ms`);
  const createCodedError = () => Object.assign(new Error('an injected fault'), { code: random.pick(codes) });
  const ignoreRejection = (act: () => unknown) => () => {
    try {
      act();
    } catch (error) {
      world.happened('commit rejected', () => String(error));
    }
  };

  function read<T>(what: string, execute: () => T): Promise<T> {
    if (isSilent()) return fail(what, operationMs, createTimeout(what));
    if (!random.chance(rates.database)) return call(what, execute);
    if (random.chance(0.2)) {
      happened('fault: a read hangs');
      return fail(what, operationMs, createTimeout(what));
    }
    happened('fault: a read fails');
    return fail(what, delay(), createCodedError());
  }

  function drawFate(): Fate | undefined {
    if (isSilent()) return 'hangs';
    if (abortsLeft > 0) {
      abortsLeft -= 1;
      return 'aborts';
    }
    if (!random.chance(rates.database)) return undefined;
    const fate = random.weighted<Fate>({
      fails: 3,
      'fails but is done': 4,
      'is rejected but was done': 2,
      hangs: 1,
      'hangs and lands late': 2,
      'goes silent': 1,
      aborts: 2,
    });
    if (fate === 'aborts') abortsLeft = random.whole(0, 4);
    if (fate === 'goes silent') actor.silentUntil = world.now() + random.pick(silencesMs);
    return fate;
  }

  function commit(writes: readonly Write[]) {
    const what = `commits ${writes.map(describeWrite).join(', ')}`;
    const execute = () => store.commit(writes);
    const fate = drawFate();
    if (!fate) return call(what, execute);
    happened(`fault: a commit ${fate}`);
    const soon = delay();
    switch (fate) {
      case 'fails':
        return fail<never>(what, soon, createCodedError());
      case 'aborts':
        return fail<never>(what, soon, new CommitRejected('aborted'));
      case 'fails but is done':
      case 'is rejected but was done':
        world.after(soon, `${actor.name} ${what}, without a reply`, ignoreRejection(execute));
        return fail<never>(
          what,
          soon + delay(),
          fate === 'fails but is done' ? createCodedError() : new CommitRejected('by a retry of its own'),
        );
      case 'hangs and lands late':
        world.after(
          random.whole(0, landingMsMax),
          `${actor.name} ${what}, after its timeout`,
          ignoreRejection(execute),
        );
        return fail<never>(what, operationMs, createTimeout(what));
      case 'hangs':
      case 'goes silent':
        return fail<never>(what, operationMs, createTimeout(what));
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

function describeWrite(write: Write): string {
  if ('create' in write) return `+${write.create}`;
  if ('set' in write) return `=${write.set}`;
  return 'update' in write ? `~${write.update}` : `-${write.delete}`;
}
