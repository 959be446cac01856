/** Where the user is, as the address says: `#/`, `#/credits`, `#/image/{id}`. */
import { signal } from '@preact/signals';

export type Route = { view: 'create' } | { view: 'credits' } | { view: 'image'; id: string };

/** Whether the page before this one in the history is ours, so that going back stays in the studio. */
let cameFromHere = false;

export function parseRoute(hash: string): Route {
  const id = /^#\/image\/([0-9a-f]{32})$/.exec(hash)?.[1];
  if (id) return { view: 'image', id };
  return hash === '#/credits' ? { view: 'credits' } : { view: 'create' };
}

export const route = signal<Route>(parseRoute(location.hash));

addEventListener('hashchange', () => {
  cameFromHere = true;
  route.value = parseRoute(location.hash);
});

export const imageHref = (id: string) => `#/image/${id}`;

/** Goes to another image of the gallery without filling the history with each that was leafed through. */
export function goToImage(id: string): void {
  history.replaceState(null, '', imageHref(id));
  route.value = { view: 'image', id };
}

export function closeImage(): void {
  if (cameFromHere) {
    history.back();
    return;
  }
  history.replaceState(null, '', '#/');
  route.value = { view: 'create' };
}
