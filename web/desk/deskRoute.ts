/** The view of the desk that the address's hash names: `#/`, `#/accounts?find=…`, `#/account/{uid}/{image?}` or `#/reports`. */
import { signal } from '@preact/signals';

export type DeskRoute =
  | { view: 'overview' }
  | { view: 'accounts'; find: string }
  | { view: 'account'; uid: string; generationId: string | undefined }
  | { view: 'reports' };

export function parseDeskRoute(hash: string): DeskRoute {
  const [path = '', query = ''] = hash.split('?', 2);
  const [, view, uid, generationId] = path.split('/');
  if (view === 'reports') return { view };
  if (view === 'accounts') return { view, find: new URLSearchParams(query).get('find') ?? '' };
  if (view === 'account' && uid) return { view, uid: decode(uid), generationId };
  return { view: 'overview' };
}

/** An address that somebody has mistyped must not end the page. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const deskRoute = signal(parseDeskRoute(location.hash));

addEventListener('hashchange', () => {
  deskRoute.value = parseDeskRoute(location.hash);
});

export const toAccountHref = (uid: string, generationId?: string) =>
  `#/account/${encodeURIComponent(uid)}${generationId ? `/${generationId}` : ''}`;
export const toAccountsHref = (find: string) =>
  `#/accounts${find ? `?${new URLSearchParams({ find })}` : ''}`;
