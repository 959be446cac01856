/** Google's user lookup. Every call of an admin uses it to check that the admin is not revoked. */
import { vi } from 'vitest';
import type { Stack } from './stack.ts';

/** The user that the lookup finds, an admin by default; null if there is none, 'down' if Google does not answer. */
export type Lookup = { disabled?: boolean; validSince?: string; customAttributes?: string } | null | 'down';

/**
 * Answers lookups in place of Google until `vi.unstubAllGlobals`. Other requests pass through.
 * Returns the list of lookups, which grows with each.
 */
export function answerLookups(stack: Stack, found: () => Lookup = () => ({})) {
  const lookups: { authorization: string | null; body: unknown }[] = [];
  const real = globalThis.fetch;
  const lookupUrl = `https://identitytoolkit.googleapis.com/v1/projects/${stack.projectId}/accounts:lookup`;
  vi.stubGlobal('fetch', async (input: string | URL | Request, init?: RequestInit) => {
    const url = String(input instanceof Request ? input.url : input);
    if (url.startsWith('http://metadata.google.internal/')) {
      return Response.json({ access_token: 'of-the-service-account' });
    }
    if (url !== lookupUrl) return real(input, init);
    lookups.push({
      authorization: new Headers(init?.headers).get('authorization'),
      body: JSON.parse(String(init?.body)),
    });
    const user = found();
    const admin = { localId: 'an-admin', customAttributes: '{"admin":true}' };
    if (user === 'down') throw new TypeError('fetch failed');
    return Response.json(user ? { users: [{ ...admin, ...user }] } : {});
  });
  return lookups;
}
