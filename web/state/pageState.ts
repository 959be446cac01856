/** The state of the page for one signed-in user. Sign-out closes it as a whole. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Generation, Receipt } from '../../shared/contract.ts';
import { type Client, createClient } from '../client.ts';
import { createAccount } from './account.ts';
import type { createDataExport } from './dataExport.ts';
import { createDraft } from './draft.ts';
import { keepDraft } from './draftMemory.ts';
import { createGallerySearch, newestFirst } from './gallerySearch.ts';
import type { createLedger } from './ledger.ts';
import { notifyInBackground } from './notifications.ts';
import { createPagedList } from './pagedList.ts';
import { createPendingGenerations } from './pendingGenerations.ts';
import { createPurchases } from './purchases.ts';
import { scrollMemory } from './scrollMemory.ts';
import { createSelection } from './selection.ts';
import { type FirebaseConfig, idToken } from './session.ts';
import { createMemory } from './storage.ts';
import { createTerms } from './terms.ts';

/** The first page fills the window soon; the next ones are for a long scroll. */
const firstImages = 24;
const imagesPerPage = 60;
/** The largest page that the functions answer with. */
const imagesMax = 100;

export type PageState = ReturnType<typeof createPageState>;

/** What the user's other windows are informed of. */
type Change =
  | { created: Generation }
  | { deleted: string }
  | { acceptedTerms: string }
  | { receipt: Receipt };

/** Makes no request until `start` is called. */
export function createPageState(config: FirebaseConfig, uid: string) {
  const functions = createClient({ token: idToken });
  const memory = createMemory(uid);
  const account = createAccount(functions, config, uid);
  const terms = createTerms(functions, account, (version) => broadcast({ acceptedTerms: version }));
  const client: Client = {
    ...functions,
    enhance: (...args) => terms.afterTerms(() => functions.enhance(...args)),
    generate: (...args) => terms.afterTerms(() => functions.generate(...args)),
    checkout: (...args) => terms.afterTerms(() => functions.checkout(...args)),
  };
  const draft = createDraft();
  const keptDraft = keepDraft(uid, draft, memory);
  const scrolled = scrollMemory.take(uid);
  // A reload loads as many images as it needs to be where it was.
  const firstPage = scrolled?.top ? Math.min(Math.max(firstImages, scrolled.count), imagesMax) : firstImages;
  const gallery = createPagedList<Generation>(async (pageToken) => {
    const { generations, nextPageToken } = await client.gallery({
      pageSize: pageToken === undefined ? firstPage : imagesPerPage,
      pageToken,
    });
    return { items: generations, nextPageToken };
  }, newestFirst);
  const search = createGallerySearch(client, gallery);
  const selection = createSelection(() => search.items.value);
  let ledger: ReturnType<typeof createLedger> | undefined;

  // Keeps the user's other windows up to date.
  const channel = new BroadcastChannel(`nano-banana-studio/${uid}`);
  const broadcast = (change: Change) => channel.postMessage(change);
  channel.onmessage = ({ data }: MessageEvent<Change>) => {
    if ('created' in data) gallery.add(data.created);
    else if ('deleted' in data) removeImage(data.deleted);
    else if ('receipt' in data) account.onReceipt(data.receipt);
    else terms.onAccepted(data.acceptedTerms);
  };

  const pendingGenerations = createPendingGenerations({
    client,
    memory,
    onReceipt(receipt) {
      account.onReceipt(receipt);
      if (receipt) broadcast({ receipt });
    },
    onCreated(generation) {
      gallery.add(generation);
      broadcast({ created: generation });
    },
  });

  let dataExport: ReturnType<typeof createDataExport> | undefined;
  const purchases = createPurchases({
    client,
    memory,
    account,
    // A failed save must not keep the user from paying.
    goTo: (url) => void keptDraft.save().finally(() => location.assign(url)),
  });

  const endNotifications = notifyInBackground(pendingGenerations);
  const closing = new AbortController();
  /** The network is back: what could not be loaded is loaded, and what has changed meanwhile is shown. */
  const catchUp = () => {
    void account.load();
    void gallery.refresh();
    if (ledger && ledger.state.value !== 'initial') void ledger.refresh();
    void purchases.checkAgain();
  };

  const deletedIds = new Set<string>();
  /** The last change of each image's mark that is not answered. */
  const marking = new Map<string, Promise<unknown>>();

  function removeImage(id: string): void {
    deletedIds.add(id);
    gallery.remove(id);
    search.remove(id);
    selection.remove(id);
    pendingGenerations.removeImage(id);
    draft.setChange(id, '');
    draft.references.value = draft.references.value.filter(
      (reference) => reference.kind !== 'generation' || reference.id !== id,
    );
  }

  return {
    uid,
    client,
    memory,
    account,
    draft,
    gallery,
    search,
    selection,
    /** The images that were deleted in this visit. */
    deletedIds: deletedIds as ReadonlySet<string>,
    /** Where the gallery was before a reload, in pixels. */
    scrolledTo: scrolled?.top,
    /** The ledger. Its code comes with the view that shows it first. */
    openLedger(create: typeof createLedger) {
      ledger ??= create({ client, account, findImage: gallery.find });
      return ledger;
    },
    pendingGenerations,
    terms,
    /** The export of the account, which goes on while its dialog is closed. */
    openDataExport(create: typeof createDataExport) {
      dataExport ??= create(functions);
      return dataExport;
    },
    purchases,

    start(): void {
      void account.load().then(account.follow);
      void gallery.more();
      void pendingGenerations.resume();
      void purchases.start();
      addEventListener('online', catchUp, { signal: closing.signal });
    },

    /** Deletes the image and its prompt permanently. @throws {ApiError} if the image was not deleted */
    async deleteImage(id: string): Promise<void> {
      await client.deleteGeneration(id);
      removeImage(id);
      broadcast({ deleted: id });
    },

    /** Marks the image, or takes the mark away. It shows at once. @throws {ApiError} if it stays as it was */
    async favouriteImage(generation: Generation, favourite: boolean): Promise<void> {
      const { id } = generation;
      gallery.add({ ...generation, favourite });
      // Two requests at once could arrive in the other order.
      const before = marking.get(id)?.catch(() => {});
      const marked = Promise.resolve(before).then(() => client.favourite(id, favourite));
      marking.set(id, marked);
      const isLast = () => marking.get(id) === marked;
      try {
        const answer = await marked;
        if (!isLast()) return;
        gallery.add(answer.generation);
        broadcast({ created: answer.generation });
      } catch (error) {
        const current = gallery.find(id);
        if (current && isLast()) gallery.add({ ...current, favourite: !favourite });
        throw error;
      } finally {
        if (isLast()) marking.delete(id);
      }
    },

    /** Makes the image public, or private again. @throws {ApiError} if it stays as it was */
    async shareImage(id: string, shared: boolean): Promise<void> {
      const { generation } = await client.share(id, shared);
      gallery.add(generation);
      broadcast({ created: generation });
    },

    close(): void {
      keptDraft.end();
      endNotifications();
      closing.abort();
      ledger?.close();
      search.close();
      selection.cancel();
      account.close();
      pendingGenerations.close();
      terms.close();
      dataExport?.cancel();
      purchases.close();
      channel.close();
    },
  };
}

const PageStateContext = createContext<PageState | undefined>(undefined);
export const PageStateProvider = PageStateContext.Provider;

/** @throws outside of `PageStateProvider`: only the sign-in view may render there */
export function usePageState(): PageState {
  const pageState = useContext(PageStateContext);
  if (!pageState) throw new Error('This view needs a PageStateProvider around it');
  return pageState;
}
