/** A database in front of which a test can look on, step in and lose answers. */
import type { Database, Write } from '../../shared/database/database.ts';

export type Hooks = {
  beforeRead?: (paths: readonly string[]) => Promise<void> | void;
  beforeCommit?: (writes: readonly Write[]) => Promise<void> | void;
  /** Runs once the commit is there; what it throws takes the place of the answer. */
  afterCommit?: (writes: readonly Write[]) => Promise<void> | void;
};

/** The database with hooks that may be changed at any time. */
export function watchedDatabase(database: Database, hooks: Hooks = {}) {
  const watched: Database = {
    ...database,
    async read(paths) {
      await hooks.beforeRead?.(paths);
      return database.read(paths);
    },
    async commit(writes) {
      await hooks.beforeCommit?.(writes);
      const version = await database.commit(writes);
      await hooks.afterCommit?.(writes);
      return version;
    },
  };
  return { database: watched, hooks };
}

/** What the client library throws where a commit may have landed and its answer is lost: UNAVAILABLE. */
export const lostReply = () => Object.assign(new Error('14 UNAVAILABLE: connection lost'), { code: 14 });

/** The fields that a commit writes to new documents of generations, if it makes any. */
export const newGeneration = (writes: readonly Write[]) =>
  writes.flatMap((write) =>
    'create' in write && write.create.includes('/generations/') ? [write.data] : [],
  )[0];

/** A hook that acts once, at the first commit that is the one meant. */
export function once(
  isMeant: (writes: readonly Write[]) => boolean,
  act: () => Promise<void> | void,
): (writes: readonly Write[]) => Promise<void> {
  let done = false;
  return async (writes) => {
    if (done || !isMeant(writes)) return;
    done = true;
    await act();
  };
}
