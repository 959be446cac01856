/** Everything of one signed-in user; ended as a whole at sign-out. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Entry, Generation } from '../../shared/contract.ts';
import { createClient } from '../client.ts';
import { createAccount } from './account.ts';
import { createDraft } from './draft.ts';
import { createPagedList } from './pagedList.ts';
import { createPendingGenerations } from './pendingGenerations.ts';
import { type FirebaseConfig, idToken } from './session.ts';
import { createMemory } from './storage.ts';

const imagesPerPage = 24;
const entriesPerPage = 30;

export type PageState = ReturnType<typeof createPageState>;

type News = { painted: Generation } | { deleted: string };

export function createPageState(config: FirebaseConfig, uid: string) {
  const client = createClient({ token: idToken });
  const memory = createMemory(uid);
  const account = createAccount(client, config, uid);
  const draft = createDraft();
  const gallery = createPagedList<Generation>(async (pageToken) => {
    const { generations, nextPageToken } = await client.gallery({ pageSize: imagesPerPage, pageToken });
    return { items: generations, nextPageToken };
  }, newestFirst);
  const ledger = createPagedList<Entry>(
    async (pageToken) => {
      const { entries, nextPageToken } = await client.ledger({ pageSize: entriesPerPage, pageToken });
      return { items: entries, nextPageToken };
    },
    (one, other) => other.sequence - one.sequence,
  );

  // The user's other windows hear of images from here: their galleries are the same gallery.
  const channel = new BroadcastChannel(`nano-banana-studio/${uid}`);
  const tell = (news: News) => channel.postMessage(news);
  channel.onmessage = ({ data }: MessageEvent<News>) => {
    if ('painted' in data) gallery.add(data.painted);
    else forget(data.deleted);
  };

  const pendingGenerations = createPendingGenerations({
    client,
    memory,
    onReceipt: account.heard,
    onCreated(generation) {
      gallery.add(generation);
      tell({ painted: generation });
    },
  });

  function forget(id: string): void {
    gallery.remove(id);
    pendingGenerations.forget(id);
    draft.references.value = draft.references.value.filter(
      (one) => one.kind !== 'generation' || one.id !== id,
    );
  }

  return {
    uid,
    client,
    memory,
    account,
    draft,
    gallery,
    ledger,
    pendingGenerations,

    start(): void {
      void account.load().then(account.follow);
      void gallery.more();
      void pendingGenerations.resume();
    },

    /** Removes the image and its prompt for good. @throws {ApiError} when it is still there. */
    async deleteImage(id: string): Promise<void> {
      await client.deleteGeneration(id);
      await memory.deleteOwnPrompt(id);
      forget(id);
      tell({ deleted: id });
    },

    close(): void {
      account.close();
      pendingGenerations.close();
      channel.close();
    },
  };
}

const newestFirst = (one: Generation, other: Generation) =>
  other.createdAt.localeCompare(one.createdAt) || other.id.localeCompare(one.id);

const PageStateContext = createContext<PageState | undefined>(undefined);
export const PageStateProvider = PageStateContext.Provider;

/** The studio of the signed-in user, inside of which every view but the sign-in is shown. */
export function usePageState(): PageState {
  const pageState = useContext(PageStateContext);
  if (!pageState) throw new Error('A view of the studio is shown outside of it');
  return pageState;
}
