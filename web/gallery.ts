/** The user's pictures: small, to be opened on the stage, or deleted. */
import type { Generation } from '../shared/contract.ts';
import type { Api } from './api.ts';
import { byId, make, timeElement } from './dom.ts';
import { pagedList } from './lists.ts';
import { tierNames } from './words.ts';

const picturesPerPage = 12;

export function createGallery(options: {
  api: Api;
  onOpen: (generation: Generation) => void;
  onDeleted: (id: string) => void;
  problem: (error: unknown) => string;
}) {
  const { api, onOpen, onDeleted, problem } = options;
  const status = byId('gallery-status', HTMLElement);
  const list = pagedList({
    name: 'gallery',
    emptyText: 'Nothing here yet.',
    problem,
    async page(pageToken) {
      const { generations, nextPageToken } = await api.gallery(picturesPerPage, pageToken);
      return { items: generations.map(item), nextPageToken };
    },
  });

  function item(generation: Generation): HTMLElement {
    const { id, prompt, tier, createdAt, image } = generation;
    const thumbnail = make('img', { alt: prompt ?? '', loading: 'lazy', src: image?.thumbnailUrl ?? '' });
    const open = make('button', { type: 'button', className: 'open' }, thumbnail);
    open.addEventListener('click', () => onOpen(generation));
    const remove = make('button', { type: 'button', className: 'danger' }, 'Delete');
    remove.setAttribute('aria-label', `Delete “${prompt ?? ''}”`);
    const about = make('div', {}, make('span', {}, tierNames[tier]), timeElement(createdAt));
    const made = make(
      'li',
      { id: `generation-${id}` },
      open,
      make('div', { className: 'about' }, about, remove),
    );
    remove.addEventListener('click', () => void askAndDelete(generation, made, remove));
    return made;
  }

  async function askAndDelete({ id, prompt }: Generation, shown: HTMLElement, button: HTMLButtonElement) {
    if (!(await confirmed(prompt ?? ''))) return;
    button.disabled = true;
    try {
      await api.deleteGeneration(id);
      list.remove(shown);
      onDeleted(id);
      byId('gallery-title', HTMLElement).focus({ preventScroll: true });
    } catch (error) {
      button.disabled = false;
      status.textContent = problem(error);
    }
  }

  return { restart: list.restart, add: (generation: Generation) => list.prepend(item(generation)) };
}

async function confirmed(prompt: string): Promise<boolean> {
  const dialog = byId('delete', HTMLDialogElement);
  byId('delete-prompt', HTMLElement).textContent = `“${prompt}”`;
  // It keeps the answer of the last time, which Escape would otherwise repeat.
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  return dialog.returnValue === 'delete';
}
