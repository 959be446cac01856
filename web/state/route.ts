/** The view that the address's hash names: `#/`, `#/credits`, `#/image/{id}` or `#/report/{token}`. */
import { signal } from '@preact/signals';

export type Route =
  | { view: 'create' }
  | { view: 'credits' }
  | { view: 'image'; id: string }
  | { view: 'report'; token: string };

export function parseRoute(hash: string): Route {
  const id = /^#\/image\/([0-9a-f]{32})$/.exec(hash)?.[1];
  if (id) return { view: 'image', id };
  const token = /^#\/report\/([\w-]{22})$/.exec(hash)?.[1];
  if (token) return { view: 'report', token };
  return hash === '#/credits' ? { view: 'credits' } : { view: 'create' };
}

/** True at the address of the owner's desk, which has routes of its own. */
export const isDeskAddress = () => /\/desk\/?$/.test(location.pathname);

export const route = signal<Route>(parseRoute(location.hash));

/** How many entries of this page are before this one in the history: going back further would leave the studio. */
const readDepth = (): number | undefined => (history.state as { depth?: number } | null)?.depth;
let depth = readDepth() ?? 0;
history.replaceState({ depth }, '');

/** True from the call of `history.back` until the browser has gone back: a second call would go back twice. */
let isGoingBack = false;

addEventListener('hashchange', () => {
  isGoingBack = false;
  const known = readDepth();
  depth = known ?? depth + 1;
  if (known === undefined) history.replaceState({ depth }, '');
  route.value = parseRoute(location.hash);
});

export const imageHref = (id: string) => `#/image/${id}`;

/** Replaces the history entry, so that Back leaves the viewer however many images the user has looked at. */
export function goToImage(id: string): void {
  history.replaceState({ depth }, '', imageHref(id));
  route.value = { view: 'image', id };
}

/** Closes the viewer. May be called again before it is closed. */
export function closeImage(): void {
  if (isGoingBack || route.value.view !== 'image') return;
  if (depth > 0) {
    isGoingBack = true;
    history.back();
    return;
  }
  history.replaceState({ depth }, '', '#/');
  route.value = { view: 'create' };
}
