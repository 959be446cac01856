/** One image with what it was made from, and what belongs to it. */
import { useComputed } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { problemText } from '../strings/messages.ts';
import type { PageState } from './pageState.ts';
import { usePageState } from './pageState.ts';
import type { PendingGeneration } from './pendingGenerations.ts';

/** The answers of `generation` in this visit. */
const answers = new WeakMap<PageState['client'], Map<string, Promise<Answer>>>();
type Answer = Awaited<ReturnType<PageState['client']['generation']>>;

function fetchGeneration({ client, deletedIds }: PageState, id: string): Promise<Answer> {
  const known = answers.get(client) ?? new Map<string, Promise<Answer>>();
  answers.set(client, known);
  // An earlier answer still has the image and the prompt.
  const answer = (!deletedIds.has(id) && known.get(id)) || client.generation({ id });
  known.set(id, answer);
  // A pending one changes, and an error may pass.
  answer.then(
    ({ generation }) => generation.status === 'pending' && known.delete(id),
    () => known.delete(id),
  );
  return answer;
}

export type OpenImage = {
  generation: Generation | undefined;
  /** Oldest first. Undefined for an image that is no edit, and until they are loaded. */
  ancestors: Generation[] | undefined;
  problem: string;
};

/** Finds the image in the gallery or among what searches found, or fetches it: a link can name any image. */
export function useImage(id: string): OpenImage {
  const pageState = usePageState();
  const { search, deletedIds } = pageState;
  const listed = search.find(id);
  const [fetched, setFetched] = useState<{ id: string; answer?: Answer; problem?: string }>({ id });
  const isNeeded = !listed || listed.parentId !== undefined;
  const isDeleted = deletedIds.has(id);
  useEffect(() => {
    if (!isNeeded) return;
    let isLeft = false;
    const set = (result: { answer?: Answer; problem?: string }) => isLeft || setFetched({ id, ...result });
    fetchGeneration(pageState, id).then(
      (answer) => set({ answer }),
      (error) => set({ problem: problemText(error) }),
    );
    return () => {
      isLeft = true;
    };
  }, [id, isNeeded, isDeleted, pageState]);
  const { answer, problem = '' } = fetched.id === id ? fetched : {};
  return {
    generation: listed ?? answer?.generation,
    // An ancestor may have been deleted since.
    ancestors: answer?.ancestors
      ?.map((one) => (deletedIds.has(one.id) ? { ...one, image: null } : one))
      .reverse(),
    problem: listed ? '' : problem,
  };
}

/** The images with these ids, in their order; null for one that is gone, undefined for one that is not loaded yet. */
export function useGenerations(ids: readonly string[]): (Generation | null | undefined)[] {
  const pageState = usePageState();
  const { gallery } = pageState;
  const [fetched, setFetched] = useState<Record<string, Generation | null>>({});
  const missing = ids.filter((id) => !gallery.find(id)).join();
  useEffect(() => {
    for (const id of missing.split(',').filter(Boolean)) {
      fetchGeneration(pageState, id).then(
        ({ generation }) => setFetched((last) => ({ ...last, [id]: generation.image ? generation : null })),
        () => setFetched((last) => ({ ...last, [id]: null })),
      );
    }
  }, [missing, pageState]);
  return ids.map((id) => gallery.find(id) ?? fetched[id]);
}

/** The most images of one prompt that are listed. */
const relativesMax = 40;

/** The images that were asked for together or with the same prompt, oldest first, and the edits of the image. */
export function useRelatives(generation: Generation | undefined) {
  const { gallery, pendingGenerations } = usePageState();
  const { id = '', group, prompt, parentId } = generation ?? {};
  const items = gallery.items.value;
  const isSibling = (one: Generation) =>
    one.parentId === parentId && ((group !== undefined && one.group === group) || one.prompt === prompt);
  const siblings = items.filter(isSibling).slice(0, relativesMax).reverse();
  const edits = items
    .filter((one) => one.parentId === id)
    .slice(0, relativesMax)
    .reverse();
  const visit = pendingGenerations.list.value;
  const isOpen = ({ progress }: PendingGeneration) => progress.value.state !== 'done';
  return {
    siblings,
    edits,
    /** Images like this one that are being made or have failed, oldest first. */
    pendingSiblings: visit
      .filter(({ request }) => request.prompt === prompt && request.editOf === parentId)
      .filter(isOpen)
      .reverse(),
    pendingEdits: visit
      .filter(({ request }) => request.editOf === id)
      .filter(isOpen)
      .reverse(),
  };
}

/** Calls `onMade` with an edit of the image that is finished while the image is shown. */
export function useFinishedEdit(id: string, onMade: (edit: Generation) => void): void {
  const { pendingGenerations } = usePageState();
  const [openedAt, setOpenedAt] = useState({ id, at: Date.now() });
  if (openedAt.id !== id) setOpenedAt({ id, at: Date.now() });
  const made = useComputed(() => {
    for (const { request, progress, askedAt } of pendingGenerations.list.value) {
      const state = progress.value;
      if (state.state === 'done' && request.editOf !== undefined)
        return { parentId: request.editOf, askedAt, edit: state.generation };
    }
    return undefined;
  }).value;
  useEffect(() => {
    if (made && made.parentId === id && made.askedAt >= openedAt.at) onMade(made.edit);
  }, [made?.edit.id]);
}
