/** Faults at the await points of a function: every call it makes to the database, the model and the image store. */

import { CommitRejected, type Database } from '../../shared/database/database.ts';
import type { GenerateImage } from '../../shared/imagegen/modelFallback.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';

/** Each says what becomes of one call. */
export const faults = [
  /** It rejects before anything was done. */
  'throw',
  /** The process dies before it: neither this call nor anything after it ever happens. */
  'killed before',
  /** The process dies after it was done. */
  'killed after',
  /** It is stopped until the deadline has long passed and the sweep has been, and then goes on. */
  'hang past the deadline',
  'UNAVAILABLE before',
  /** It was done, but the caller is told that the service was not there. */
  'UNAVAILABLE after',
  /** It is rejected, and so are the next four of its kind. */
  'ABORTED five times',
  /** The same request arrives once more while this call is under way. */
  'duplicate request',
] as const;
export type Fault = (typeof faults)[number];

export type Plan = {
  /** Which call, from 0. */
  at: number;
  fault: Fault;
  /** What the rest of the world does while the call is under way. */
  meanwhile(): Promise<unknown>;
};

type Real = { database: Database; imageGenerator: GenerateImage; imageStore: ImageStore };

/** The real parts with a plan between them and their caller; `calls` lists what was called, by name. */
export function createFaultyParts(real: Real) {
  const calls: string[] = [];
  let plan: Plan | undefined;
  let aborted: string | undefined;
  let abortsLeft = 0;

  async function pass<T>(name: string, work: () => Promise<T>): Promise<T> {
    const index = calls.push(name) - 1;
    if (abortsLeft > 0 && aborted === name) {
      abortsLeft -= 1;
      throw rejected(name);
    }
    if (!plan || index !== plan.at) return work();
    switch (plan.fault) {
      case 'throw':
        await plan.meanwhile();
        throw new Error('A fault of the test');
      case 'killed before':
        await plan.meanwhile();
        return new Promise(() => {});
      case 'killed after':
        await Promise.allSettled([plan.meanwhile(), work()]);
        return new Promise(() => {});
      case 'hang past the deadline':
      case 'duplicate request':
        await plan.meanwhile();
        return work();
      case 'UNAVAILABLE before':
        await plan.meanwhile();
        throw unavailable();
      case 'UNAVAILABLE after':
        await Promise.allSettled([plan.meanwhile(), work()]);
        throw unavailable();
      case 'ABORTED five times':
        await plan.meanwhile();
        [aborted, abortsLeft] = [name, 4];
        throw rejected(name);
    }
  }

  const { database, imageGenerator, imageStore } = real;
  return {
    calls,
    /** Begins anew with a plan, or with none. */
    begin(next?: Plan) {
      plan = next;
      abortsLeft = 0;
      calls.length = 0;
    },
    overrides: {
      database: {
        ...database,
        read: (paths) => pass('read', () => database.read(paths)),
        commit: (writes) => pass('commit', () => database.commit(writes)),
        page: (request) => pass('query', () => database.page(request)),
        totals: (path, requests) => pass('totals', () => database.totals(path, requests)),
      } satisfies Database,
      imageGenerator: ((request, ms, signal) =>
        pass('paint', () => imageGenerator(request, ms, signal))) satisfies GenerateImage,
      imageStore: {
        ...imageStore,
        store: (publicId, chunks, ms, signal) =>
          pass('store', () => imageStore.store(publicId, chunks, ms, signal)),
        destroy: (publicId, ms) => pass('destroy', () => imageStore.destroy(publicId, ms)),
      } satisfies ImageStore,
    },
  };
}

/** As Google's client reports it: google.rpc.Code 14. */
const unavailable = () => Object.assign(new Error('UNAVAILABLE'), { code: 14 });

/** ABORTED, as the database reports it for a commit; a read has only the code. */
const rejected = (name: string) =>
  name === 'commit' ? new CommitRejected('ABORTED') : Object.assign(new Error('ABORTED'), { code: 10 });

/** The same database, whose clock is ahead by so many milliseconds. */
export function ahead(database: Database, milliseconds: number): Database {
  const later = (time: Date) => new Date(time.getTime() + milliseconds);
  return {
    ...database,
    async read(paths) {
      const { documents, readTime } = await database.read(paths);
      return { documents, readTime: later(readTime) };
    },
    async page(request) {
      const { documents, readTime } = await database.page(request);
      return { documents, readTime: later(readTime) };
    },
  };
}
