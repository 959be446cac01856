/** Who is let in: tokens signed with keys of our own, checked as in production. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Auth, createAuth, type KeySets } from '../../shared/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { toFailure } from '../../shared/errors.ts';

const project = 'nano-studio';
const audience = 'https://sweep.example.com';
const serviceAccount = 'scheduler@nano-studio.iam.gserviceaccount.com';
const environment = {
  GOOGLE_CLOUD_PROJECT: project,
  SCHEDULER_AUDIENCE: audience,
  SCHEDULER_SERVICE_ACCOUNT: serviceAccount,
};

const [firebase, google, stranger] = await Promise.all(
  Array.from({ length: 3 }, () => generateKeyPair('RS256', { extractable: true })),
);
if (!firebase || !google || !stranger) throw new Error('No keys');
type Keys = typeof firebase;
const elliptic = await generateKeyPair('ES256');
/** Firebase's own key, for signing otherwise than Firebase does. */
async function otherAlgorithm(alg: string): Promise<Keys> {
  const jwk = await exportJWK(firebase?.privateKey as Keys['privateKey']);
  return {
    publicKey: firebase?.publicKey as Keys['publicKey'],
    privateKey: (await importJWK(jwk, alg)) as Keys['privateKey'],
  };
}
const keySet = async (keys: Keys, kid: string) =>
  createLocalJWKSet({ keys: [{ ...(await exportJWK(keys.publicKey)), kid, alg: 'RS256', use: 'sig' }] });
const keySets: KeySets = {
  firebase: await keySet(firebase, 'firebase-1'),
  google: await keySet(google, 'google-1'),
};
const publicPem = await exportSPKI(firebase.publicKey);

const auth = createAuth(parseConfig(environment), keySets);
const now = () => Math.floor(Date.now() / 1000);
const remoteAddress = '203.0.113.7';
const bearer = (token: string) => ({ authorization: `Bearer ${token}`, remoteAddress });

type Claims = Record<string, unknown>;
/** The claims of a good ID token; one set to undefined is left out. */
const idClaims = (): Claims => ({
  iss: `https://securetoken.google.com/${project}`,
  aud: project,
  sub: 'alice',
  user_id: 'alice',
  iat: now() - 60,
  auth_time: now() - 600,
  exp: now() + 3_540,
  email: 'alice@example.com',
  email_verified: true,
  firebase: { sign_in_provider: 'password', identities: {} },
});
const sign = (claims: Claims, keys: Keys, header: Claims) =>
  new SignJWT(claims as JWTPayload)
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header })
    .sign(keys.privateKey);
const idToken = (claims: Claims = {}, header: Claims = {}, keys: Keys = firebase) =>
  sign({ ...idClaims(), ...claims }, keys, { kid: 'firebase-1', ...header });
/** A good token of Cloud Scheduler. */
const oidcToken = (claims: Claims = {}, header: Claims = {}, keys: Keys = google) =>
  sign(
    {
      iss: 'https://accounts.google.com',
      aud: audience,
      sub: '1234567890',
      azp: '1234567890',
      email: serviceAccount,
      email_verified: true,
      iat: now() - 5,
      exp: now() + 3_595,
      ...claims,
    },
    keys,
    { kid: 'google-1', ...header },
  );

const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
/** The reason of a refusal, or what was let in. */
const outcome = (call: Promise<unknown>) =>
  call.then(
    (caller) => caller,
    (error) => toFailure(error).reason,
  );

describe('a user', () => {
  it('is who a good ID token says', async () => {
    expect(await auth.user(bearer(await idToken()))).toEqual({
      uid: 'alice',
      email: 'alice@example.com',
      verified: true,
      admin: false,
    });
  });

  it.each<[string, Claims]>([
    ['a uid of one character', { sub: 'a' }],
    ['a uid of 128 characters', { sub: 'u'.repeat(128) }],
    ['a uid in any script', { sub: 'алиса 🍌' }],
    ['a sign-in of long ago', { auth_time: now() - 10_000_000 }],
    ['a clock that is a moment ahead of ours', { iat: now() + 2, auth_time: now() + 2 }],
    ['claims of its own', { role: 'painter', admin: false }],
    ['an expiry in a second', { exp: now() + 2 }],
  ])('may have %s', async (_, claims) => {
    const user = await auth.user(bearer(await idToken(claims)));
    expect(user.uid).toBe(claims.sub ?? 'alice');
  });

  it('may write the scheme as HTTP lets them', async () => {
    const token = await idToken();
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect(await outcome(auth.user({ authorization: `${scheme} ${token}`, remoteAddress }))).toMatchObject({
        uid: 'alice',
      });
    }
    // And as many blanks: RFC 6750, 1*SP.
    expect((await auth.user({ authorization: `Bearer   ${token}`, remoteAddress })).uid).toBe('alice');
  });

  it('is known by any of the keys of the set, which are exchanged every day', async () => {
    const keys = [
      { ...(await exportJWK(stranger.publicKey)), kid: 'older', alg: 'RS256' },
      { ...(await exportJWK(firebase.publicKey)), kid: 'newer', alg: 'RS256' },
    ];
    const rotated = createAuth(parseConfig(environment), {
      ...keySets,
      firebase: createLocalJWKSet({ keys }),
    });
    for (const [kid, by] of [
      ['older', stranger],
      ['newer', firebase],
    ] as const) {
      expect((await rotated.user(bearer(await idToken({}, { kid }, by)))).uid).toBe('alice');
    }
  });
});

describe('whether a user is known to be somebody', () => {
  const provider = (sign_in_provider: unknown, email_verified?: unknown): Claims => ({
    email_verified,
    firebase: { sign_in_provider },
  });

  it.each<[string, Claims, boolean]>([
    ['a password and a verified e-mail', provider('password', true), true],
    ['a password and an unverified e-mail', provider('password', false), false],
    ['a password and nothing said of the e-mail', provider('password'), false],
    ['a verification that is text', provider('password', 'true'), false],
    ['Google', provider('google.com', true), true],
    ['Google, the e-mail not verified', provider('google.com', false), true],
    ['a phone', { ...provider('phone'), email: undefined }, true],
    ['nobody: anonymous', { ...provider('anonymous'), email: undefined }, false],
    ['anonymous, whatever else it says', provider('anonymous', true), false],
    ['no provider at all', { firebase: undefined, email_verified: false }, false],
    ['no provider and a verified e-mail', { firebase: undefined }, true],
    ['a provider that is no text', provider(7, false), false],
  ])('by %s', async (_, claims, verified) => {
    expect((await auth.user(bearer(await idToken(claims)))).verified).toBe(verified);
  });

  it('their e-mail is only ever text', async () => {
    for (const email of [undefined, null, 7, ['a@example.com']]) {
      expect((await auth.user(bearer(await idToken({ email })))).email).toBeUndefined();
    }
  });

  it('the claim admin is only ever true', async () => {
    for (const admin of ['true', 1, {}, null]) {
      expect((await auth.user(bearer(await idToken({ admin })))).admin).toBe(false);
    }
    expect((await auth.user(bearer(await idToken({ admin: true })))).admin).toBe(true);
  });
});

type Made = () => string | Promise<string>;
const withPart = (at: 0 | 1 | 2, change: (part: string) => string) => async () => {
  const parts = (await idToken()).split('.');
  parts[at] = change(parts[at] ?? '');
  return parts.join('.');
};
const hmacToken = (secret: string | Buffer, header: Claims = {}) => {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'firebase-1', ...header })}.${encode(idClaims())}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};
const changed = (part: string) => (part.startsWith('A') ? `B${part.slice(1)}` : `A${part.slice(1)}`);

const badTokens: [string, Made][] = [
  ['another project in aud', () => idToken({ aud: 'other-project' })],
  ['another project in iss', () => idToken({ iss: 'https://securetoken.google.com/other-project' })],
  [
    'another project altogether',
    () => idToken({ aud: 'other-project', iss: 'https://securetoken.google.com/other-project' }),
  ],
  ['no aud', () => idToken({ aud: undefined })],
  ['no iss', () => idToken({ iss: undefined })],
  ['an iss with a slash at its end', () => idToken({ iss: `https://securetoken.google.com/${project}/` })],
  ['an iss over http', () => idToken({ iss: `http://securetoken.google.com/${project}` })],
  [
    'the issuer of custom tokens',
    () => idToken({ iss: 'firebase-adminsdk@nano-studio.iam.gserviceaccount.com' }),
  ],
  ['a session cookie’s issuer', () => idToken({ iss: `https://session.firebase.google.com/${project}` })],
  ['no signature and alg none', () => new UnsecuredJWT(idClaims() as JWTPayload).encode()],
  ['a signature under alg none', withPart(0, () => encode({ alg: 'none', kid: 'firebase-1' }))],
  ['alg None', withPart(0, () => encode({ alg: 'None', kid: 'firebase-1' }))],
  ['HS256 with the public key as its secret', () => hmacToken(publicPem)],
  [
    'HS256 with the public key’s bytes as its secret',
    () => hmacToken(Buffer.from(publicPem.replaceAll(/-.*-|\n/g, ''), 'base64')),
  ],
  ['HS256 with an empty secret', () => hmacToken('')],
  ['a key that nobody knows', () => idToken({}, {}, stranger)],
  ['an unknown kid', () => idToken({}, { kid: 'firebase-2' })],
  ['no kid', () => idToken({}, { kid: undefined })],
  ['an empty kid', () => idToken({}, { kid: '' })],
  ['a kid that is a path', () => idToken({}, { kid: '../../dev/null' })],
  [
    'a key that it brings itself',
    async () => idToken({}, { jwk: await exportJWK(stranger.publicKey) }, stranger),
  ],
  ['a key address of its own', () => idToken({}, { jku: 'https://evil.example.com/keys' }, stranger)],
  ['a certificate address of its own', () => idToken({}, { x5u: 'https://evil.example.com/cert' }, stranger)],
  ['a certificate that it brings itself', () => idToken({}, { x5c: ['MIIB'] }, stranger)],
  ['ES256 under a known kid', () => idToken({}, { alg: 'ES256' }, elliptic)],
  ['RS512 by the true key', async () => idToken({}, { alg: 'RS512' }, await otherAlgorithm('RS512'))],
  ['PS256 by the true key', async () => idToken({}, { alg: 'PS256' }, await otherAlgorithm('PS256'))],
  [
    'the signature of another good token',
    async () => {
      const [header, payload] = (await idToken()).split('.');
      return `${header}.${payload}.${(await idToken({ sub: 'bob' })).split('.')[2]}`;
    },
  ],
  ['its last half missing', async () => (await idToken()).slice(0, 300)],
  ['no dots', async () => (await idToken()).replaceAll('.', '')],
  ['a megabyte of claims under a stranger’s key', () => idToken({ x: 'x'.repeat(1_000_000) }, {}, stranger)],
  ['a megabyte of signature', async () => `${await idToken()}${'A'.repeat(1_000_000)}`],
  ['a megabyte of dots', () => '.'.repeat(1_000_000)],
  [
    'a critical extension that nobody knows',
    withPart(0, () => encode({ alg: 'RS256', kid: 'firebase-1', crit: ['x'], x: 1 })),
  ],
  ['an expiry a second ago', () => idToken({ exp: now() - 1 })],
  ['an expiry a year ago', () => idToken({ exp: now() - 31_536_000 })],
  ['no expiry', () => idToken({ exp: undefined })],
  ['an expiry that is text', () => idToken({ exp: String(now() + 3_600) })],
  ['iat in the future', () => idToken({ iat: now() + 60 })],
  ['no iat', () => idToken({ iat: undefined })],
  ['iat that is text', () => idToken({ iat: 'now' })],
  ['auth_time in the future', () => idToken({ auth_time: now() + 60 })],
  ['no auth_time', () => idToken({ auth_time: undefined })],
  ['auth_time that is text', () => idToken({ auth_time: '0' })],
  ['nbf in the future', () => idToken({ nbf: now() + 60 })],
  ['no sub', () => idToken({ sub: undefined })],
  ['an empty sub', () => idToken({ sub: '' })],
  ['a sub of 129 characters', () => idToken({ sub: 'u'.repeat(129) })],
  ['a sub with a slash', () => idToken({ sub: 'alice/generations/g' })],
  ['a sub with a control character', () => idToken({ sub: 'alice\n' })],
  ['a sub that is a number', () => idToken({ sub: 7 })],
  ['a sub that is null', () => idToken({ sub: null })],
  ['its signature removed', withPart(2, () => '')],
  ['its signature altered', withPart(2, changed)],
  ['its signature cut', withPart(2, (part) => part.slice(0, -4))],
  ['its claims altered', withPart(1, () => encode({ ...idClaims(), sub: 'bob' }))],
  ['its claims empty', withPart(1, () => '')],
  ['its claims no JSON', withPart(1, () => encode('{"sub":'))],
  ['its claims a list', withPart(1, () => encode(['alice']))],
  ['two parts', async () => (await idToken()).split('.').slice(0, 2).join('.')],
  ['four parts', async () => `${await idToken()}.AAAA`],
  ['a blank in it', async () => (await idToken()).replace('.', '. ')],
  ['padding', async () => `${await idToken()}==`],
  ['a scheduler’s token', () => oidcToken()],
  ['a scheduler’s token with this project as its audience', () => oidcToken({ aud: project })],
  ['a scheduler’s claims under Firebase’s key', () => oidcToken({}, { kid: 'firebase-1' }, firebase)],
  ['no JWT', () => 'not-a-token'],
  ['an API key', () => 'AIzaSyA-1234567890'],
  ['the word owner', () => 'owner'],
  ['nothing', () => ''],
];

describe('a token that is not let in', () => {
  it.each(badTokens)('%s', async (_, made) => {
    const token = await made();
    expect(await outcome(auth.user(bearer(token)))).toBe('UNAUTHENTICATED');
    expect(await outcome(auth.admin(bearer(token)))).toBe('UNAUTHENTICATED');
  });

  it.each<[string, (token: string) => string | undefined]>([
    ['no header', () => undefined],
    ['an empty one', () => ''],
    ['the token alone', (token) => token],
    ['another scheme', (token) => `Basic ${token}`],
    ['a scheme that only begins like it', (token) => `BearerX ${token}`],
    ['the scheme alone', () => 'Bearer'],
    ['the scheme and a blank', () => 'Bearer '],
    ['two tokens', (token) => `Bearer ${token}, Bearer ${token}`],
    ['something after it', (token) => `Bearer ${token} x`],
    ['a line break after it', (token) => `Bearer ${token}\n`],
    ['something before it', (token) => `x Bearer ${token}`],
  ])('under %s', async (_, header) => {
    const authorization = header(await idToken());
    for (const access of ['user', 'admin', 'scheduler'] as const) {
      expect(await outcome(auth[access]({ authorization, remoteAddress }))).toBe('UNAUTHENTICATED');
    }
  });

  it('is answered without a word of it, or of why', async () => {
    const refusal = toFailure(
      await auth.user(bearer(await idToken({ aud: 'other' }))).catch((error) => error),
    );
    expect(refusal.message).toBe('Please sign in: a valid Firebase ID token is needed.');
    expect(refusal.details.headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
    expect(refusal.details).not.toHaveProperty('metadata');
  });

  it('is not one that could not be checked: keys that cannot be fetched are our failure', async () => {
    const unreachable = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
    };
    const cutOff = createAuth(parseConfig(environment), { firebase: unreachable, google: unreachable });
    expect(await outcome(cutOff.user(bearer(await idToken())))).not.toBe('UNAUTHENTICATED');
    expect(await outcome(cutOff.scheduler(bearer(await oidcToken())))).not.toBe('UNAUTHENTICATED');
  });
});

type Lookup = { status?: number; body?: unknown; unreachable?: boolean; noToken?: boolean };
const active = (user: Claims = {}): Lookup => ({
  body: { users: [{ localId: 'alice', validSince: String(now() - 6_000), ...user }] },
});

describe('an admin', () => {
  afterEach(() => void vi.unstubAllGlobals());

  /** Google's two services: the metadata server gives an access token, with which users are looked up. */
  function stubGoogle({ status = 200, body, unreachable, noToken }: Lookup) {
    const asked: { url: string; authorization: string | null; body: unknown }[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      if (url.startsWith('http://metadata.google.internal/')) {
        expect(headers.get('metadata-flavor')).toBe('Google');
        if (noToken) throw new TypeError('fetch failed');
        return Response.json({ access_token: 'service-token' });
      }
      if (unreachable) throw new TypeError('fetch failed');
      asked.push({ url, authorization: headers.get('authorization'), body: JSON.parse(String(init.body)) });
      return typeof body === 'string' ? new Response(body, { status }) : Response.json(body, { status });
    });
    return asked;
  }

  it('has the claim, and was looked up', async () => {
    const asked = stubGoogle(active());
    expect(await auth.admin(bearer(await idToken({ admin: true })))).toEqual({
      actor: 'alice@example.com',
      uid: 'alice',
    });
    expect(asked).toEqual([
      {
        url: `https://identitytoolkit.googleapis.com/v1/projects/${project}/accounts:lookup`,
        authorization: 'Bearer service-token',
        body: { localId: ['alice'] },
      },
    ]);
  });

  it('without an e-mail is known by the uid', async () => {
    stubGoogle(active());
    const token = await idToken({ admin: true, email: undefined });
    expect(await auth.admin(bearer(token))).toEqual({ actor: 'alice', uid: 'alice' });
  });

  it.each([undefined, false, 'true', 1, null, {}])(
    'has no claim of %s, and nobody is looked up',
    async (admin) => {
      const asked = stubGoogle(active());
      expect(await outcome(auth.admin(bearer(await idToken({ admin }))))).toBe('FORBIDDEN');
      expect(asked).toEqual([]);
    },
  );

  it.each<[string, Lookup, string]>([
    [
      'signed in before being signed out everywhere',
      active({ validSince: String(now() - 300) }),
      'UNAUTHENTICATED',
    ],
    ['is disabled', active({ disabled: true }), 'UNAUTHENTICATED'],
    ['is gone', { body: { kind: 'identitytoolkit#GetAccountInfoResponse' } }, 'UNAUTHENTICATED'],
    ['is gone from an empty list', { body: { users: [] } }, 'UNAUTHENTICATED'],
    ['cannot be looked up: 403', { status: 403, body: {} }, 'INTERNAL'],
    ['cannot be looked up: 500', { status: 500, body: 'oops' }, 'INTERNAL'],
    ['cannot be looked up: no connection', { unreachable: true }, 'INTERNAL'],
    ['cannot be looked up: no access token', { noToken: true }, 'INTERNAL'],
    ['cannot be looked up: a page for an answer', { body: '<html></html>' }, 'INTERNAL'],
  ])('is refused who %s', async (_, lookup, reason) => {
    stubGoogle(lookup);
    expect(await outcome(auth.admin(bearer(await idToken({ admin: true }))))).toBe(reason);
  });

  it('signed in after being signed out everywhere is let in', async () => {
    stubGoogle(active({ validSince: String(now() - 601) }));
    expect(await outcome(auth.admin(bearer(await idToken({ admin: true }))))).toMatchObject({
      actor: expect.any(String),
    });
  });
});

describe('a scheduler', () => {
  it('has a token of Google’s for this audience and this service account', async () => {
    expect(await auth.scheduler(bearer(await oidcToken()))).toEqual({ actor: serviceAccount });
    const shortIssuer = await oidcToken({ iss: 'accounts.google.com' });
    expect(await auth.scheduler(bearer(shortIssuer))).toEqual({ actor: serviceAccount });
  });

  it.each<[string, Made, string]>([
    ['another audience', () => oidcToken({ aud: 'https://evil.example.com' }), 'UNAUTHENTICATED'],
    [
      'an audience that only begins like it',
      () => oidcToken({ aud: `${audience}.evil.example.com` }),
      'UNAUTHENTICATED',
    ],
    ['no audience', () => oidcToken({ aud: undefined }), 'UNAUTHENTICATED'],
    ['another issuer', () => oidcToken({ iss: 'https://accounts.example.com' }), 'UNAUTHENTICATED'],
    ['no issuer', () => oidcToken({ iss: undefined }), 'UNAUTHENTICATED'],
    ['an expiry a second ago', () => oidcToken({ exp: now() - 1 }), 'UNAUTHENTICATED'],
    ['no expiry', () => oidcToken({ exp: undefined }), 'UNAUTHENTICATED'],
    ['no iat', () => oidcToken({ iat: undefined }), 'UNAUTHENTICATED'],
    ['nbf in the future', () => oidcToken({ nbf: now() + 60 }), 'UNAUTHENTICATED'],
    ['a stranger’s key', () => oidcToken({}, {}, stranger), 'UNAUTHENTICATED'],
    ['an unknown kid', () => oidcToken({}, { kid: 'google-2' }), 'UNAUTHENTICATED'],
    [
      'its signature taken off, as Cloud Run does behind IAM',
      async () => (await oidcToken()).replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE'),
      'UNAUTHENTICATED',
    ],
    ['its signature empty', async () => (await oidcToken()).replace(/[^.]*$/, ''), 'UNAUTHENTICATED'],
    [
      'no signature and alg none',
      async () =>
        new UnsecuredJWT({ email: serviceAccount, email_verified: true })
          .setIssuer('https://accounts.google.com')
          .setAudience(audience)
          .setIssuedAt()
          .setExpirationTime('1h')
          .encode(),
      'UNAUTHENTICATED',
    ],
    ['an ID token of Firebase', () => idToken({ admin: true }), 'UNAUTHENTICATED'],
    [
      'an ID token of Firebase with these claims',
      () => idToken({ aud: audience, email: serviceAccount }),
      'UNAUTHENTICATED',
    ],
    [
      'another service account',
      () => oidcToken({ email: 'other@nano-studio.iam.gserviceaccount.com' }),
      'FORBIDDEN',
    ],
    ['no e-mail', () => oidcToken({ email: undefined }), 'FORBIDDEN'],
    ['an e-mail in other letters', () => oidcToken({ email: serviceAccount.toUpperCase() }), 'FORBIDDEN'],
    ['an e-mail that is not verified', () => oidcToken({ email_verified: false }), 'FORBIDDEN'],
    ['an e-mail of which it does not say so', () => oidcToken({ email_verified: undefined }), 'FORBIDDEN'],
    ['an e-mail verified in text', () => oidcToken({ email_verified: 'true' }), 'FORBIDDEN'],
  ])('is not one with %s', async (_, made, reason) => {
    expect(await outcome(auth.scheduler(bearer(await made())))).toBe(reason);
  });

  it.each(['SCHEDULER_AUDIENCE', 'SCHEDULER_SERVICE_ACCOUNT'])('is nobody without %s', async (name) => {
    const open = createAuth(parseConfig({ ...environment, [name]: '' }), keySets);
    expect(await outcome(open.scheduler(bearer(await oidcToken())))).toBe('FORBIDDEN');
    const sneaky = await oidcToken({ email: undefined, aud: undefined });
    expect(await outcome(open.scheduler(bearer(sneaky)))).toBe('FORBIDDEN');
    expect(await outcome(open.scheduler({ authorization: undefined, remoteAddress }))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is not let in as a user or an admin', async () => {
    const token = bearer(await oidcToken({ admin: true }));
    expect(await outcome(auth.user(token))).toBe('UNAUTHENTICATED');
    expect(await outcome(auth.admin(token))).toBe('UNAUTHENTICATED');
  });
});

describe('the word of this machine: Bearer owner', () => {
  const owner = (address: string | undefined) => ({ authorization: 'Bearer owner', remoteAddress: address });
  const demo = createAuth(parseConfig({ ...environment, GOOGLE_CLOUD_PROJECT: 'demo-studio' }), keySets);

  it.each(['127.0.0.1', '127.5.5.5', '::1', '::ffff:127.0.0.1'])(
    'is scheduler and admin from %s',
    async (address) => {
      expect(await demo.scheduler(owner(address))).toEqual({ actor: 'owner' });
      expect(await demo.admin(owner(address))).toEqual({ actor: 'owner', uid: 'owner' });
      expect(await outcome(demo.user(owner(address)))).toBe('UNAUTHENTICATED');
    },
  );

  it.each([
    '10.0.0.1',
    '203.0.113.7',
    '0.0.0.0',
    '::',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '1.127.0.0.1',
    '128.0.0.1',
    'fe80::1',
    '::1234',
    '::10',
    '',
    undefined,
  ])('is nothing from %s', async (address) => {
    expect(await outcome(demo.scheduler(owner(address)))).toBe('UNAUTHENTICATED');
    expect(await outcome(demo.admin(owner(address)))).toBe('UNAUTHENTICATED');
  });

  it.each([
    undefined,
    'localhost',
    'LOCALHOST:8080',
    'studio.localhost:8080',
    '127.0.0.1:8080',
    '[::1]:8080',
  ])('is heard by the host %s', async (host) => {
    expect(await demo.scheduler({ ...owner('127.0.0.1'), host })).toEqual({ actor: 'owner' });
  });

  // A browser sends it for a page whose name was made to lead here, and a tunnel for whoever found it.
  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example:8080',
    'evil-localhost',
    '1127.0.0.1',
    '0.0.0.0:8080',
    '',
  ])('is nothing by the host %j', async (host) => {
    expect(await outcome(demo.scheduler({ ...owner('127.0.0.1'), host }))).toBe('UNAUTHENTICATED');
    expect(await outcome(demo.admin({ ...owner('127.0.0.1'), host }))).toBe('UNAUTHENTICATED');
  });

  it.each<[string, Claims]>([
    ['a project that may exist', {}],
    ['a project with demo in its name', { GOOGLE_CLOUD_PROJECT: 'my-demo-studio' }],
    ['a project demo without its dash', { GOOGLE_CLOUD_PROJECT: 'demostudio' }],
    ['Cloud Run', { GOOGLE_CLOUD_PROJECT: 'demo-studio', K_SERVICE: 'sweepHolds' }],
  ])('is nothing for %s', async (_, more) => {
    const other = createAuth(parseConfig({ ...environment, ...(more as object) }), keySets);
    expect(await outcome(other.scheduler(owner('127.0.0.1')))).toBe('UNAUTHENTICATED');
    expect(await outcome(other.admin(owner('127.0.0.1')))).toBe('UNAUTHENTICATED');
  });

  it.each(['bearer owner', 'Bearer Owner', 'Bearer owner ', 'Bearer  owner', 'owner'])(
    'is not %j',
    async (authorization) => {
      expect(await outcome(demo.admin({ authorization, remoteAddress: '127.0.0.1' }))).toBe(
        'UNAUTHENTICATED',
      );
    },
  );
});

describe('with the Auth emulator', () => {
  const answers = new Map<string, Lookup>([
    ['alice', active()],
    ['gone', { body: {} }],
    ['disabled', active({ disabled: true })],
    ['signed-out', active({ validSince: String(now()) })],
    ['broken', { status: 500, body: {} }],
  ]);
  const asked: { url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    asked.push({ url: request.url, authorization: request.headers.authorization });
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { localId } = JSON.parse(Buffer.concat(chunks).toString());
    const { status = 200, body } = answers.get(localId?.[0]) ?? { body: {} };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  let local: Auth;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const host = `127.0.0.1:${port}`;
    local = createAuth(parseConfig({ ...environment, FIREBASE_AUTH_EMULATOR_HOST: host }), keySets);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const unsigned = (claims: Claims = {}) =>
    bearer(`${encode({ alg: 'none', typ: 'JWT' })}.${encode({ ...idClaims(), ...claims })}.`);

  it('its unsigned tokens are good, once it says that the user is there', async () => {
    expect(await local.user(unsigned())).toMatchObject({ uid: 'alice', verified: true });
    expect(asked.at(-1)).toEqual({
      url: `/identitytoolkit.googleapis.com/v1/projects/${project}/accounts:lookup`,
      authorization: 'Bearer owner',
    });
    expect(await local.admin(unsigned({ admin: true }))).toEqual({
      actor: 'alice@example.com',
      uid: 'alice',
    });
    expect(await outcome(local.admin(unsigned()))).toBe('FORBIDDEN');
  });

  it.each<[string, Claims]>([
    ['a made-up user', { sub: 'gone' }],
    ['a disabled user', { sub: 'disabled' }],
    ['a user who was signed out', { sub: 'signed-out' }],
    ['another project', { aud: 'other', iss: 'https://securetoken.google.com/other' }],
    ['an expiry in the past', { exp: now() - 1 }],
    ['auth_time in the future', { auth_time: now() + 60 }],
    ['no sub', { sub: undefined }],
    ['a sub that is a list', { sub: ['alice'] }],
    ['a sub with a slash', { sub: 'alice/entries' }],
  ])('but not of %s', async (_, claims) => {
    expect(await outcome(local.user(unsigned({ ...claims, admin: true })))).toBe('UNAUTHENTICATED');
    expect(await outcome(local.admin(unsigned({ ...claims, admin: true })))).toBe('UNAUTHENTICATED');
  });

  it('is no better than its answer: an error of its own is ours', async () => {
    expect(await outcome(local.user(unsigned({ sub: 'broken' })))).toBe('INTERNAL');
  });

  it('takes no signed token, and a scheduler still has to be Google’s', async () => {
    expect(await outcome(local.user(bearer(await idToken())))).toBe('UNAUTHENTICATED');
    expect(await outcome(local.scheduler(unsigned({ aud: audience, email: serviceAccount })))).toBe(
      'UNAUTHENTICATED',
    );
    expect(await local.scheduler(bearer(await oidcToken()))).toEqual({ actor: serviceAccount });
  });
});
