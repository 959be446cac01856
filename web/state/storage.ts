/**
 * What this browser remembers of a user: generations that are not settled yet, so that a reload asks for
 * them with the same key again, and the prompts as they were before they were improved.
 */
import { createStore, delMany, entries, get, set } from 'idb-keyval';
import type { GenerateInput } from '../../shared/contract.ts';

/** @property askedAt milliseconds since 1970. @property ownPrompt what the user wrote, where it was improved. */
export type UnsettledRequest = {
  key: string;
  request: GenerateInput;
  askedAt: number;
  ownPrompt?: string | undefined;
};

export type Memory = ReturnType<typeof createMemory>;

/** A browser that keeps nothing (a private window, a full disk) is no reason to stop: it forgets, that is all. */
export function createMemory(uid: string) {
  const store = createStore('nano-banana-studio', 'memory');
  const requestPrefix = `${uid}/asked/`;
  const promptPrefix = `${uid}/ownPrompt/`;
  const keys = async (prefix: string) =>
    (await entries<string, unknown>(store)).filter(([name]) => name.startsWith(prefix));

  return {
    saveRequest: (asked: UnsettledRequest) =>
      ignoreFailure(() => set(requestPrefix + asked.key, asked, store)),
    deleteRequest: (key: string) => ignoreFailure(() => delMany([requestPrefix + key], store)),
    async listRequests(): Promise<UnsettledRequest[]> {
      const found = await keys(requestPrefix).catch(() => []);
      return found
        .map(([, asked]) => asked as UnsettledRequest)
        .sort((one, other) => one.askedAt - other.askedAt);
    },
    saveOwnPrompt: (id: string, prompt: string) => ignoreFailure(() => set(promptPrefix + id, prompt, store)),
    ownPrompt: (id: string) => ignoreFailure(() => get<string>(promptPrefix + id, store)),
    deleteOwnPrompt: (id: string) => ignoreFailure(() => delMany([promptPrefix + id], store)),
    /** At sign-out nothing of a user stays on a machine that others may use. */
    async clear(): Promise<void> {
      const all = await keys(`${uid}/`).catch(() => []);
      const names = all.map(([name]) => name);
      await ignoreFailure(() => delMany(names, store));
    },
  };
}

/** A browser that allows no storage refuses it with a rejection, or throws at once. */
async function ignoreFailure<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
