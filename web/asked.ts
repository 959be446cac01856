/** What was asked for and is not settled yet, kept so that a reload asks for it with the same key again. */
import type { GenerateRequest } from '../shared/contract.ts';

/** What the form asks for. */
export type Wish = Pick<GenerateRequest, 'prompt' | 'tier' | 'orientation'>;

/** @property askedAt milliseconds since 1970. */
export type Asked = { uid: string; key: string; request: Wish; askedAt: number };

const storageKey = 'nano-banana-studio/asked';

/** @param storage of this window alone: the browser's sessionStorage. */
export function createAsked(storage: Storage, uid: string) {
  return {
    read(): Asked | undefined {
      try {
        const asked = JSON.parse(storage.getItem(storageKey) ?? '') as Asked;
        return asked.uid === uid ? asked : undefined;
      } catch {
        return undefined;
      }
    },
    /** The key of an unsettled request that is the same, or else a new one. */
    keep(request: Wish): Asked {
      const unsettled = this.read();
      if (unsettled && same(unsettled.request, request)) return unsettled;
      const asked = { uid, key: crypto.randomUUID(), request, askedAt: Date.now() };
      storage.setItem(storageKey, JSON.stringify(asked));
      return asked;
    },
    settled: () => storage.removeItem(storageKey),
  };
}

function same(one: Wish, other: Wish): boolean {
  return one.prompt === other.prompt && one.tier === other.tier && one.orientation === other.orientation;
}
