/** Which ID tokens are accepted as an admin's, and what Google is asked about them. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAuth } from '../../../shared/auth/auth.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { createLog } from '../../../shared/core/log.ts';
import { toFailure } from '../../../shared/errors.ts';
import {
  active,
  auth,
  bearer,
  environment,
  idToken,
  keySets,
  type Lookup,
  now,
  outcome,
  project,
} from './tokens.ts';

const fail = () => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
};

describe('an admin', () => {
  afterEach(() => void vi.unstubAllGlobals());

  /** Google's two services: the metadata server issues an access token, and the lookup requires it. */
  function stubGoogle({ status = 200, body, unreachable, noToken }: Lookup) {
    const requests: { url: string; authorization: string | null; body: unknown }[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      if (url.startsWith('http://metadata.google.internal/')) {
        expect(headers.get('metadata-flavor')).toBe('Google');
        if (noToken) return noToken();
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
      actor: 'alice (alice@example.com)',
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

  it.each([
    ['no e-mail address', { email: undefined }],
    ['an unverified one', { email_verified: false }],
    ['no word about its verification', { email_verified: undefined }],
  ])('with %s is named by the uid', async (_, claims) => {
    stubGoogle(active());
    const token = await idToken({ admin: true, ...claims });
    expect(await auth.admin(bearer(token))).toEqual({ actor: 'alice', uid: 'alice' });
  });

  it.each([
    ['no custom claims any more', { customAttributes: undefined }],
    ['the claim taken back', { customAttributes: '{"team":"blue"}' }],
    ['the claim as text', { customAttributes: '{"admin":"true"}' }],
    ['custom claims that are null', { customAttributes: 'null' }],
    ['custom claims that are not JSON', { customAttributes: '{"admin":true' }],
  ])('is refused with %s, although the token has the claim', async (_, user) => {
    stubGoogle(active(user));
    expect(await outcome(auth.admin(bearer(await idToken({ admin: true }))))).toBe('FORBIDDEN');
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
    ['cannot be looked up: 403', { status: 403, body: {} }, 'AUTH_UNAVAILABLE'],
    ['cannot be looked up: 500', { status: 500, body: 'oops' }, 'AUTH_UNAVAILABLE'],
    ['cannot be looked up: no connection', { unreachable: true }, 'AUTH_UNAVAILABLE'],
    ['cannot be looked up: no metadata server', { noToken: fail }, 'AUTH_UNAVAILABLE'],
    ['cannot be looked up: no access token', { noToken: () => Response.json({}) }, 'AUTH_UNAVAILABLE'],
    [
      'cannot be looked up: the metadata server fails',
      { noToken: () => new Response('oops', { status: 500 }) },
      'AUTH_UNAVAILABLE',
    ],
    ['cannot be looked up: an HTML page', { body: '<html></html>' }, 'AUTH_UNAVAILABLE'],
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

  it('who cannot be looked up is asked to wait, and operators find out why', async () => {
    stubGoogle({ noToken: fail });
    const lines: Record<string, unknown>[] = [];
    const watched = createAuth(
      parseConfig(environment),
      createLog((line) => void lines.push(JSON.parse(line))),
      keySets,
    );
    const failure = toFailure(
      await watched.admin(bearer(await idToken({ admin: true }))).catch((error) => error),
    );
    expect(failure).toMatchObject({ reason: 'AUTH_UNAVAILABLE', details: { retryAfterSeconds: 5 } });
    expect(lines).toEqual([
      expect.objectContaining({
        severity: 'WARNING',
        event: 'auth_unavailable',
        cause: 'fetch failed: ECONNREFUSED',
      }),
    ]);
  });
});
