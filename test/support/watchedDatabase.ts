/** A database with hooks, so that a test can observe calls, act between them and lose replies. */
import type { Database, Write } from '../../shared/database/database.ts';

export type Hooks = {
  beforeRead?: (paths: readonly string[]) => Promise<void> | void;
  beforeCommit?: (writes: readonly Write[]) => Promise<void> | void;
  /** Runs after the commit succeeded. What it throws replaces the reply. */
  afterCommit?: (writes: readonly Write[]) => Promise<void> | void;
};

/** The database with hooks, which may change at any time. */
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

/** The client library's error when the reply to a commit is lost: UNAVAILABLE. The commit may have succeeded. */
export const lostReply = () => Object.assign(new Error('14 UNAVAILABLE: connection lost'), { code: 14 });

/** The fields of the generation that a commit creates, or undefined. */
export const newGeneration = (writes: readonly Write[]) =>
  writes.flatMap((write) =>
    'create' in write && write.create.includes('/generations/') ? [write.data] : [],
  )[0];

/** A hook that acts once, at the first commit that matches. */
export function once(
  matches: (writes: readonly Write[]) => boolean,
  act: () => Promise<void> | void,
): (writes: readonly Write[]) => Promise<void> {
  let done = false;
  return async (writes) => {
    if (done || !matches(writes)) return;
    done = true;
    await act();
  };
}
