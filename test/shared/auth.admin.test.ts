/** Which ID tokens are accepted as an admin's, and what Google is asked about them. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { active, auth, bearer, idToken, type Lookup, now, outcome, project } from './authTokens.ts';

describe('an admin', () => {
  afterEach(() => void vi.unstubAllGlobals());

  /** Google's two services: the metadata server issues an access token, and the lookup requires it. */
  function stubGoogle({ status = 200, body, unreachable, noToken }: Lookup) {
    const requests: { url: string; authorization: string | null; body: unknown }[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      if (url.startsWith('http://metadata.google.internal/')) {
        expect(headers.get('metadata-flavor')).toBe('Google');
        if (noToken) throw new TypeError('fetch failed');
        return Response.json({ access_token: 'service-token' });
      }
      if (unreachable) throw new TypeError('fetch failed');
      requests.push({
        url,
        authorization: headers.get('authorization'),
        body: JSON.parse(String(init.body)),
      });
      return typeof body === 'string' ? new Response(body, { status }) : Response.json(body, { status });
    });
    return requests;
  }

  it('has the claim admin and passes the lookup', async () => {
    const requests = stubGoogle(active());
    expect(await auth.admin(bearer(await idToken({ admin: true })))).toEqual({
      actor: 'alice@example.com',
      uid: 'alice',
    });
    expect(requests).toEqual([
      {
        url: `https://identitytoolkit.googleapis.com/v1/projects/${project}/accounts:lookup`,
        authorization: 'Bearer service-token',
        body: { localId: ['alice'] },
      },
    ]);
  });

  it('without an e-mail is named by the uid', async () => {
    stubGoogle(active());
    const token = await idToken({ admin: true, email: undefined });
    expect(await auth.admin(bearer(token))).toEqual({ actor: 'alice', uid: 'alice' });
  });

  it.each([undefined, false, 'true', 1, null, {}])(
    'is refused with %s as the claim, without a lookup',
    async (admin) => {
      const requests = stubGoogle(active());
      expect(await outcome(auth.admin(bearer(await idToken({ admin }))))).toBe('FORBIDDEN');
      expect(requests).toEqual([]);
    },
  );

  it.each<[string, Lookup, string]>([
    [
      'was signed out everywhere after this sign-in',
      active({ validSince: String(now() - 300) }),
      'UNAUTHENTICATED',
    ],
    ['is disabled', active({ disabled: true }), 'UNAUTHENTICATED'],
    ['is deleted', { body: { kind: 'identitytoolkit#GetAccountInfoResponse' } }, 'UNAUTHENTICATED'],
    ['is not in the list', { body: { users: [] } }, 'UNAUTHENTICATED'],
    ['cannot be looked up: 403', { status: 403, body: {} }, 'INTERNAL'],
    ['cannot be looked up: 500', { status: 500, body: 'oops' }, 'INTERNAL'],
    ['cannot be looked up: no connection', { unreachable: true }, 'INTERNAL'],
    ['cannot be looked up: no access token', { noToken: true }, 'INTERNAL'],
    ['cannot be looked up: an HTML page', { body: '<html></html>' }, 'INTERNAL'],
  ])('is refused if the user %s', async (_, lookup, reason) => {
    stubGoogle(lookup);
    expect(await outcome(auth.admin(bearer(await idToken({ admin: true }))))).toBe(reason);
  });

  it('is accepted after a new sign-in', async () => {
    stubGoogle(active({ validSince: String(now() - 601) }));
    expect(await outcome(auth.admin(bearer(await idToken({ admin: true }))))).toMatchObject({
      actor: expect.any(String),
    });
  });
});
