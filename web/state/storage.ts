/**
 * What this browser stores for a user, in IndexedDB: unsettled requests, which a reload continues under the same key,
 * and the prompts that users wrote before they accepted an improved one.
 */
import { createStore, delMany, entries, get, set } from 'idb-keyval';
import type { GenerateInput } from '../../shared/contract.ts';

/**
 * A generation whose outcome this browser does not know yet.
 * @property key the Idempotency-Key
 * @property askedAt milliseconds since 1970
 * @property ownPrompt what the user wrote, if `request.prompt` is an improved version of it
 */
export type UnsettledRequest = {
  key: string;
  request: GenerateInput;
  askedAt: number;
  ownPrompt?: string | undefined;
};

export type Memory = ReturnType<typeof createMemory>;

/** Never throws: a browser that cannot store anything (a private window, a full disk) just forgets. */
export function createMemory(uid: string) {
  const store = createStore('nano-banana-studio', 'memory');
  // These prefixes are stored in users' browsers: changing one loses what is saved under it.
  const requestPrefix = `${uid}/asked/`;
  const promptPrefix = `${uid}/ownPrompt/`;
  const findEntries = async (prefix: string) =>
    (await entries<string, unknown>(store)).filter(([name]) => name.startsWith(prefix));

  return {
    saveRequest: (unsettled: UnsettledRequest) =>
      ignoreFailure(() => set(requestPrefix + unsettled.key, unsettled, store)),
    deleteRequest: (key: string) => ignoreFailure(() => delMany([requestPrefix + key], store)),
    /** Oldest first. */
    async listRequests(): Promise<UnsettledRequest[]> {
      const found = await findEntries(requestPrefix).catch(() => []);
      return found
        .map(([, unsettled]) => unsettled as UnsettledRequest)
        .sort((one, other) => one.askedAt - other.askedAt);
    },
    saveOwnPrompt: (id: string, prompt: string) => ignoreFailure(() => set(promptPrefix + id, prompt, store)),
    getOwnPrompt: (id: string) => ignoreFailure(() => get<string>(promptPrefix + id, store)),
    deleteOwnPrompt: (id: string) => ignoreFailure(() => delMany([promptPrefix + id], store)),
    /** Called at sign-out: other people may use this computer, so nothing of the user stays on it. */
    async clear(): Promise<void> {
      const userEntries = await findEntries(`${uid}/`).catch(() => []);
      const names = userEntries.map(([name]) => name);
      await ignoreFailure(() => delMany(names, store));
    },
  };
}

/** Browsers that forbid storage reject the promise or throw synchronously; both resolve to undefined here. */
async function ignoreFailure<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
