/**
 * What this browser stores for a user, in IndexedDB: unsettled requests, which a reload continues under the same key;
 * purchases that are not over; and the draft of each tab.
 */
import { createStore, delMany, entries, set } from 'idb-keyval';
import type { GenerateInput } from '../../shared/contract.ts';
import { tabStorage } from './browserStorage.ts';
import type { DraftContent } from './draft.ts';

/**
 * A generation whose outcome this browser does not know yet.
 * @property key the Idempotency-Key
 * @property askedAt milliseconds since 1970
 */
export type UnsettledRequest = {
  key: string;
  request: GenerateInput;
  askedAt: number;
};

/**
 * A checkout whose outcome this browser does not know yet.
 * @property startedAt milliseconds since 1970
 * @property isSubmitted true if the user came back after paying: the money may still be on its way
 */
export type OpenCheckout = { sessionId: string; startedAt: number; isSubmitted: boolean };

/** @property tab the id of the tab that wrote it. @property savedAt milliseconds since 1970 */
export type SavedDraft = DraftContent & { tab: string; savedAt: number };

export type Memory = ReturnType<typeof createMemory>;

/** Never throws: a browser that cannot store anything (a private window, a full disk) just forgets. */
export function createMemory(uid: string) {
  const store = createStore('nano-banana-studio', 'memory');
  // These prefixes are stored in users' browsers: changing one loses what is saved under it.
  const requestPrefix = `${uid}/asked/`;
  const checkoutPrefix = `${uid}/checkout/`;
  const draftPrefix = `${uid}/draft/`;
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
    saveCheckout: (checkout: OpenCheckout) =>
      ignoreFailure(() => set(checkoutPrefix + checkout.sessionId, checkout, store)),
    deleteCheckout: (sessionId: string) => ignoreFailure(() => delMany([checkoutPrefix + sessionId], store)),
    async listCheckouts(): Promise<OpenCheckout[]> {
      const found = await findEntries(checkoutPrefix).catch(() => []);
      return found.map(([, checkout]) => checkout as OpenCheckout);
    },
    saveDraft: (saved: SavedDraft) => ignoreFailure(() => set(draftPrefix + saved.tab, saved, store)),
    deleteDraft: (tab: string) => ignoreFailure(() => delMany([draftPrefix + tab], store)),
    /** Newest first. */
    async listDrafts(): Promise<SavedDraft[]> {
      const found = await findEntries(draftPrefix).catch(() => []);
      return found.map(([, saved]) => saved as SavedDraft).sort((one, other) => other.savedAt - one.savedAt);
    },
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

const leftForName = 'nano-banana-studio/leftFor';

/** What this tab remembers while the user is on a page of Stripe. */
export const leftFor = {
  /** @param target the id of a checkout session, or `portal` */
  set(target: string): void {
    tabStorage.write(leftForName, target);
  },
  /** Returns what this tab left for, once. */
  take(): string | undefined {
    const target = tabStorage.read(leftForName);
    tabStorage.remove(leftForName);
    return target ?? undefined;
  },
};
