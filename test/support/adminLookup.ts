/** Google's user lookup, which every call of a signed-in admin asks whether that admin was revoked. */
import { vi } from 'vitest';
import type { Stack } from './stack.ts';

/** What the lookup says of a user; null where there is no such user, 'down' where nobody answers. */
export type Lookup = { disabled?: boolean; validSince?: string } | null | 'down';

/**
 * Answers for Google in this process until `vi.unstubAllGlobals`, and lets every other request through.
 * Returns the lookups that were asked.
 */
export function answerLookups(stack: Stack, found: () => Lookup = () => ({})) {
  const asked: { authorization: string | null; body: unknown }[] = [];
  const real = globalThis.fetch;
  const lookup = `https://identitytoolkit.googleapis.com/v1/projects/${stack.projectId}/accounts:lookup`;
  vi.stubGlobal('fetch', async (input: string | URL | Request, init?: RequestInit) => {
    const url = String(input instanceof Request ? input.url : input);
    if (url.startsWith('http://metadata.google.internal/')) {
      return Response.json({ access_token: 'of-the-service-account' });
    }
    if (url !== lookup) return real(input, init);
    asked.push({
      authorization: new Headers(init?.headers).get('authorization'),
      body: JSON.parse(String(init?.body)),
    });
    const user = found();
    if (user === 'down') throw new TypeError('fetch failed');
    return Response.json(user ? { users: [user] } : {});
  });
  return asked;
}
