/**
 * Keeps the draft, so that a reload, a sign-out and a closed tab lose nothing. Each tab has a draft of its own: in
 * sessionStorage, which survives a sign-out and ends with the tab, and, until the sign-out, in IndexedDB. A new tab takes
 * over the newest draft of a tab that was closed, never that of an open one.
 */
import { effect } from '@preact/signals';
import { tabStorage } from './browserStorage.ts';
import type { createDraft, DraftContent } from './draft.ts';
import type { Memory } from './storage.ts';

const writeDelayMs = 300;
const nameOf = (uid: string) => `nano-banana-studio/draft/${uid}`;
const tabName = 'nano-banana-studio/tab';
/** A tab holds this lock while it is open. */
const lockOf = (tab: string) => `nano-banana-studio/tab/${tab}`;

/** With all its files: sessionStorage has no room for large ones. */
const drafts = new Map<string, DraftContent>();

/** The id of this tab, from its lock. A copy of a tab, which has the same sessionStorage, gets an id of its own. */
const tabId: Promise<string> = takeTab(tabStorage.read(tabName) ?? crypto.randomUUID());

async function takeTab(tab: string): Promise<string> {
  if (!navigator.locks) return tab;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  void navigator.locks
    .request(lockOf(tab), { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      // The lock ends with the page.
      return lock ? new Promise(() => {}) : undefined;
    })
    .catch(() => resolve(true));
  if (!(await promise)) return takeTab(crypto.randomUUID());
  tabStorage.write(tabName, tab);
  return tab;
}

async function listOpenTabs(): Promise<string[]> {
  const locks = await navigator.locks?.query();
  return locks?.held?.flatMap(({ name }) => name ?? []) ?? [];
}

function read(uid: string): DraftContent | undefined {
  try {
    return JSON.parse(tabStorage.read(nameOf(uid)) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** Object URLs belong to the page that made them. */
const withoutPreviews = (content: DraftContent): DraftContent => ({
  ...content,
  references: content.references.map((one) => (one.kind === 'file' ? { ...one, previewUrl: '' } : one)),
});

function write(uid: string, content: DraftContent): void {
  const references = content.references.filter(({ kind }) => kind !== 'file');
  const isWritten = tabStorage.write(nameOf(uid), JSON.stringify(content));
  if (!isWritten) tabStorage.write(nameOf(uid), JSON.stringify({ ...content, references }));
}

const isEmpty = ({ prompt, references, changes = {} }: DraftContent) =>
  prompt === '' && references.length === 0 && Object.keys(changes).length === 0;

type DraftStore = Pick<Memory, 'saveDraft' | 'deleteDraft' | 'listDrafts'>;

/** Restores the draft of this tab or of a closed one, and stores every change until `end` is called. */
export function keepDraft(
  uid: string,
  draft: ReturnType<typeof createDraft>,
  memory: DraftStore,
): { save: () => Promise<void>; end: () => void } {
  const earlier = drafts.get(uid) ?? read(uid);
  if (earlier) draft.set(earlier);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  async function store(content: DraftContent): Promise<void> {
    const tab = await tabId;
    if (isClosed) return;
    if (isEmpty(content)) await memory.deleteDraft(tab);
    else await memory.saveDraft({ ...content, tab, savedAt: Date.now() });
  }
  async function save(): Promise<void> {
    const content = drafts.get(uid);
    if (!content) return;
    const stored = withoutPreviews(content);
    write(uid, stored);
    await store(stored);
  }
  const flush = () => void save();
  async function restore(): Promise<void> {
    const tab = await tabId;
    const [saved, open] = await Promise.all([memory.listDrafts(), listOpenTabs()]);
    const own = saved.find((one) => one.tab === tab);
    const closed = earlier ? undefined : saved.find((one) => !open.includes(lockOf(one.tab)));
    const found = own ?? closed;
    if (!found || isClosed) return;
    const hasLostFiles =
      own && draft.prompt.value === own.prompt && draft.references.value.length < own.references.length;
    if (hasLostFiles) draft.set(own);
    else draft.restore(found);
    if (found.tab !== tab) await memory.deleteDraft(found.tab);
  }

  const stop = effect(() => {
    drafts.set(uid, draft.getContent());
    clearTimeout(timer);
    timer = setTimeout(flush, writeDelayMs);
  });
  addEventListener('pagehide', flush);
  void restore();
  return {
    /** Stores the draft at once, before the page leaves. */
    save,
    end() {
      clearTimeout(timer);
      removeEventListener('pagehide', flush);
      stop();
      flush();
      isClosed = true;
    },
  };
}

/** Called when the account is closed: nothing of the user stays. */
export function forgetDraft(uid: string): void {
  drafts.delete(uid);
  tabStorage.remove(nameOf(uid));
}
