/** Which ID tokens are accepted, and which user they name: tokens signed with keys of the tests. */
import { createHmac } from 'node:crypto';
import { createLocalJWKSet, exportJWK, type JWTPayload, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAuth } from '../../../shared/auth/auth.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { toFailure } from '../../../shared/errors.ts';
import { hashIdentities, type Proofs } from '../../../shared/identity.ts';
import {
  auth,
  bearer,
  type Claims,
  elliptic,
  encode,
  environment,
  firebase,
  idClaims,
  idToken,
  keySets,
  type MakeToken,
  now,
  oidcToken,
  otherAlgorithm,
  outcome,
  project,
  publicPem,
  remoteAddress,
  silentLog,
  stranger,
} from './tokens.ts';

describe('a user', () => {
  it('is the subject of a valid ID token', async () => {
    const signedInAt = now() - 600;
    expect(await auth.user(bearer(await idToken({ auth_time: signedInAt })))).toEqual({
      uid: 'alice',
      email: 'alice@example.com',
      verified: true,
      identities: hashIdentities({ email: 'alice@example.com' }, ['local']),
      signedInAt: new Date(signedInAt * 1000),
    });
  });

  const emails = { email: ['alice@example.com'] };
  const google = { provider: 'google.com', subject: '1234' };
  it.each<[string, Claims, Proofs]>([
    [
      'Google',
      { firebase: { sign_in_provider: 'google.com', identities: { 'google.com': ['1234'], ...emails } } },
      { email: 'alice@example.com', subjects: [google] },
    ],
    [
      'several providers',
      {
        firebase: {
          sign_in_provider: 'password',
          identities: { 'google.com': ['1234'], 'github.com': ['7', '8'], ...emails },
        },
      },
      {
        email: 'alice@example.com',
        subjects: [google, ...['7', '8'].map((subject) => ({ provider: 'github.com', subject }))],
      },
    ],
    [
      'a provider that has not verified the address',
      {
        email_verified: false,
        firebase: { sign_in_provider: 'google.com', identities: { 'google.com': ['1234'], ...emails } },
      },
      { subjects: [google] },
    ],
    [
      'a phone',
      {
        email: undefined,
        email_verified: undefined,
        firebase: { sign_in_provider: 'phone', identities: { phone: ['+491701234567'] } },
      },
      { phone: '+491701234567' },
    ],
    [
      'a password without a verified address',
      { email_verified: false, firebase: { identities: emails } },
      {},
    ],
    [
      'nobody',
      { email_verified: undefined, firebase: { sign_in_provider: 'anonymous', identities: {} } },
      {},
    ],
    [
      'claims of any other form',
      {
        firebase: { sign_in_provider: 'google.com', identities: { 'google.com': 'x', phone: 7, other: [1] } },
      },
      { email: 'alice@example.com' },
    ],
  ])(
    'has the identities that the sign-in of %s proves, and no unverified address',
    async (_, claims, proofs) => {
      const user = await auth.user(bearer(await idToken(claims)));
      expect(user.identities).toEqual(hashIdentities(proofs, ['local']));
      expect(user.email).toBe(proofs.email);
    },
  );

  it.each<[string, () => Claims]>([
    ['a uid of one character', () => ({ sub: 'a' })],
    ['a uid of 128 characters', () => ({ sub: 'u'.repeat(128) })],
    ['a uid in any script', () => ({ sub: 'алиса 🍌' })],
    ['a sign-in long ago', () => ({ auth_time: now() - 10_000_000 })],
    ['an issuer whose clock is 2 s ahead of ours', () => ({ iat: now() + 2, auth_time: now() + 2 })],
    ['claims of the application', () => ({ role: 'painter', admin: false })],
    ['an expiry in two seconds', () => ({ exp: now() + 2 })],
  ])('may have %s', async (_, makeClaims) => {
    const claims = makeClaims();
    const user = await auth.user(bearer(await idToken(claims)));
    expect(user.uid).toBe(claims.sub ?? 'alice');
  });

  it('may write the scheme in any case, followed by any number of spaces', async () => {
    const token = await idToken();
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect(await outcome(auth.user({ authorization: `${scheme} ${token}`, remoteAddress }))).toMatchObject({
        uid: 'alice',
      });
    }
    // RFC 6750: 1*SP.
    expect((await auth.user({ authorization: `Bearer   ${token}`, remoteAddress })).uid).toBe('alice');
  });

  it('may have a token signed by any key of the set, since Google rotates the keys', async () => {
    const keys = [
      { ...(await exportJWK(stranger.publicKey)), kid: 'older', alg: 'RS256' },
      { ...(await exportJWK(firebase.publicKey)), kid: 'newer', alg: 'RS256' },
    ];
    const auth = createAuth(parseConfig(environment), silentLog, {
      ...keySets,
      firebase: createLocalJWKSet({ keys }),
    });
    for (const [kid, by] of [
      ['older', stranger],
      ['newer', firebase],
    ] as const) {
      expect((await auth.user(bearer(await idToken({}, { kid }, by)))).uid).toBe('alice');
    }
  });
});

describe('whether a user is verified', () => {
  const provider = (sign_in_provider: unknown, email_verified?: unknown): Claims => ({
    email_verified,
    firebase: { sign_in_provider },
  });

  it.each<[string, Claims, boolean]>([
    ['a password and a verified e-mail', provider('password', true), true],
    ['a password and an unverified e-mail', provider('password', false), false],
    ['a password and no word about the e-mail', provider('password'), false],
    ['a verification given as text', provider('password', 'true'), false],
    ['Google', provider('google.com', true), true],
    ['Google with an unverified e-mail', provider('google.com', false), true],
    ['a phone', { ...provider('phone'), email: undefined }, true],
    ['an anonymous sign-in', { ...provider('anonymous'), email: undefined }, false],
    ['an anonymous sign-in with a verified e-mail', provider('anonymous', true), false],
    ['no provider', { firebase: undefined, email_verified: false }, false],
    ['no provider and a verified e-mail', { firebase: undefined }, true],
    ['a provider given as a number', provider(7, false), false],
  ])('by %s', async (_, claims, verified) => {
    expect((await auth.user(bearer(await idToken(claims)))).verified).toBe(verified);
  });

  it('has an e-mail only if the claim is text', async () => {
    for (const email of [undefined, null, 7, ['a@example.com']]) {
      expect((await auth.user(bearer(await idToken({ email })))).email).toBeUndefined();
    }
  });
});

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

const badTokens: [string, MakeToken][] = [
  ['another project in aud', () => idToken({ aud: 'other-project' })],
  ['another project in iss', () => idToken({ iss: 'https://securetoken.google.com/other-project' })],
  [
    'another project in aud and iss',
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
  ['an unknown key', () => idToken({}, {}, stranger)],
  ['an unknown kid', () => idToken({}, { kid: 'firebase-2' })],
  ['no kid', () => idToken({}, { kid: undefined })],
  ['an empty kid', () => idToken({}, { kid: '' })],
  ['a kid that is a path', () => idToken({}, { kid: '../../dev/null' })],
  [
    'a key in its own header',
    async () => idToken({}, { jwk: await exportJWK(stranger.publicKey) }, stranger),
  ],
  ['a key URL in its own header', () => idToken({}, { jku: 'https://evil.example.com/keys' }, stranger)],
  [
    'a certificate URL in its own header',
    () => idToken({}, { x5u: 'https://evil.example.com/cert' }, stranger),
  ],
  ['a certificate in its own header', () => idToken({}, { x5c: ['MIIB'] }, stranger)],
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
    'an unknown critical extension',
    withPart(0, () => encode({ alg: 'RS256', kid: 'firebase-1', crit: ['x'], x: 1 })),
  ],
  ['an expiry a second ago', () => idToken({ exp: now() - 1 })],
  ['an expiry a year ago', () => idToken({ exp: now() - 31_536_000 })],
  ['no expiry', () => idToken({ exp: undefined })],
  ['text as expiry', () => idToken({ exp: String(now() + 3_600) })],
  ['iat in the future', () => idToken({ iat: now() + 60 })],
  ['no iat', () => idToken({ iat: undefined })],
  ['text as iat', () => idToken({ iat: 'now' })],
  ['auth_time in the future', () => idToken({ auth_time: now() + 60 })],
  ['no auth_time', () => idToken({ auth_time: undefined })],
  ['text as auth_time', () => idToken({ auth_time: '0' })],
  ['nbf in the future', () => idToken({ nbf: now() + 60 })],
  ['no sub', () => idToken({ sub: undefined })],
  ['an empty sub', () => idToken({ sub: '' })],
  ['a sub of 129 characters', () => idToken({ sub: 'u'.repeat(129) })],
  ['a sub with a slash', () => idToken({ sub: 'alice/generations/g' })],
  ['a sub with a control character', () => idToken({ sub: 'alice\n' })],
  ['a number as sub', () => idToken({ sub: 7 })],
  ['null as sub', () => idToken({ sub: null })],
  ['its signature removed', withPart(2, () => '')],
  ['its signature altered', withPart(2, changed)],
  ['its signature cut', withPart(2, (part) => part.slice(0, -4))],
  ['its claims altered', withPart(1, () => encode({ ...idClaims(), sub: 'bob' }))],
  ['its claims empty', withPart(1, () => '')],
  ['its claims not JSON', withPart(1, () => encode('{"sub":'))],
  ['its claims a list', withPart(1, () => encode(['alice']))],
  ['two parts', async () => (await idToken()).split('.').slice(0, 2).join('.')],
  ['four parts', async () => `${await idToken()}.AAAA`],
  ['a space in it', async () => (await idToken()).replace('.', '. ')],
  ['padding', async () => `${await idToken()}==`],
  ['a scheduler’s token', () => oidcToken()],
  ['a scheduler’s token with this project as its audience', () => oidcToken({ aud: project })],
  ['a scheduler’s claims under Firebase’s key', () => oidcToken({}, { kid: 'firebase-1' }, firebase)],
  ['no JWT', () => 'not-a-token'],
  ['an API key', () => 'AIzaSyA-1234567890'],
  ['the word owner', () => 'owner'],
  ['nothing', () => ''],
];

describe('a token is refused', () => {
  it.each(badTokens)('with %s', async (_, make) => {
    const token = await make();
    expect(await outcome(auth.user(bearer(token)))).toBe('UNAUTHENTICATED');
    expect(await outcome(auth.admin(bearer(token)))).toBe('UNAUTHENTICATED');
  });

  it.each<[string, (token: string) => string | undefined]>([
    ['no value', () => undefined],
    ['an empty value', () => ''],
    ['the token alone', (token) => token],
    ['another scheme', (token) => `Basic ${token}`],
    ['a scheme that only starts with Bearer', (token) => `BearerX ${token}`],
    ['the scheme alone', () => 'Bearer'],
    ['the scheme and a space', () => 'Bearer '],
    ['two tokens', (token) => `Bearer ${token}, Bearer ${token}`],
    ['something after it', (token) => `Bearer ${token} x`],
    ['a line break after it', (token) => `Bearer ${token}\n`],
    ['something before it', (token) => `x Bearer ${token}`],
  ])('in a header with %s', async (_, header) => {
    const authorization = header(await idToken());
    for (const access of ['user', 'admin', 'scheduler'] as const) {
      expect(await outcome(auth[access]({ authorization, remoteAddress }))).toBe('UNAUTHENTICATED');
    }
  });

  it('without repeating it or telling why', async () => {
    const refusal = toFailure(
      await auth.user(bearer(await idToken({ aud: 'other' }))).catch((error) => error),
    );
    expect(refusal.message).toBe('Please sign in: a valid Firebase ID token is needed.');
    expect(refusal.details.headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
    expect(refusal.details).not.toHaveProperty('metadata');
  });

  it('only if it was checked: without the keys it is a server error', async () => {
    const unreachable = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
    };
    const offline = createAuth(parseConfig(environment), silentLog, {
      firebase: unreachable,
      google: unreachable,
    });
    expect(await outcome(offline.user(bearer(await idToken())))).toBe('AUTH_UNAVAILABLE');
    expect(await outcome(offline.scheduler(bearer(await oidcToken())))).toBe('AUTH_UNAVAILABLE');
  });
});
