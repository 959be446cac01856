/** The view that the address's hash names: `#/`, `#/credits`, `#/image/{id}` or `#/report/{token}`. */
import { signal } from '@preact/signals';

export type Route =
  | { view: 'create' }
  | { view: 'credits' }
  | { view: 'image'; id: string }
  | { view: 'report'; token: string };

/** True if going back in the browser history stays on this page. */
let canGoBack = false;

export function parseRoute(hash: string): Route {
  const id = /^#\/image\/([0-9a-f]{32})$/.exec(hash)?.[1];
  if (id) return { view: 'image', id };
  const token = /^#\/report\/([\w-]{22})$/.exec(hash)?.[1];
  if (token) return { view: 'report', token };
  return hash === '#/credits' ? { view: 'credits' } : { view: 'create' };
}

export const route = signal<Route>(parseRoute(location.hash));

addEventListener('hashchange', () => {
  canGoBack = true;
  route.value = parseRoute(location.hash);
});

export const imageHref = (id: string) => `#/image/${id}`;

/** Replaces the history entry, so that Back leaves the viewer however many images the user has looked at. */
export function goToImage(id: string): void {
  history.replaceState(null, '', imageHref(id));
  route.value = { view: 'image', id };
}

export function closeImage(): void {
  if (canGoBack) {
    history.back();
    return;
  }
  history.replaceState(null, '', '#/');
  route.value = { view: 'create' };
}
