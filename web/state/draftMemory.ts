/**
 * Keeps the draft while the browser session lasts: a reload, a sign-out and another sign-in find it again. It is stored
 * for one user and one tab, in sessionStorage, which ends with the tab.
 */
import { effect } from '@preact/signals';
import type { createDraft, DraftContent } from './draft.ts';

const writeDelayMs = 300;
const nameOf = (uid: string) => `nano-banana-studio/draft/${uid}`;

/** With all its files: sessionStorage has no room for large ones. A reload loses those. */
const drafts = new Map<string, DraftContent>();

function read(uid: string): DraftContent | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(nameOf(uid)) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function write(uid: string, content: DraftContent): void {
  // Object URLs belong to the page that made them.
  const references = content.references.map((one) =>
    one.kind === 'file' ? { ...one, previewUrl: '' } : one,
  );
  const withoutFiles = references.filter(({ kind }) => kind !== 'file');
  for (const kept of [references, withoutFiles]) {
    try {
      sessionStorage.setItem(nameOf(uid), JSON.stringify({ ...content, references: kept }));
      return;
    } catch {
      // There is no room, or the browser forbids storage.
    }
  }
}

/** Restores the draft of this session, and stores every change until the returned function is called. */
export function keepDraft(uid: string, draft: ReturnType<typeof createDraft>): () => void {
  const earlier = drafts.get(uid) ?? read(uid);
  if (earlier) draft.set(earlier);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    const content = drafts.get(uid);
    if (content) write(uid, content);
  };
  const stop = effect(() => {
    drafts.set(uid, draft.getContent());
    clearTimeout(timer);
    timer = setTimeout(flush, writeDelayMs);
  });
  addEventListener('pagehide', flush);
  return () => {
    clearTimeout(timer);
    removeEventListener('pagehide', flush);
    stop();
    flush();
  };
}

/** Called when the account is closed: nothing of the user stays. */
export function forgetDraft(uid: string): void {
  drafts.delete(uid);
  try {
    sessionStorage.removeItem(nameOf(uid));
  } catch {}
}
