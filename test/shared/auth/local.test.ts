/** Who is accepted on a developer's machine: Bearer owner, and the tokens of the Auth emulator. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Auth, createAuth } from '../../../shared/auth/auth.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import {
  active,
  audience,
  bearer,
  type Claims,
  encode,
  environment,
  idClaims,
  idToken,
  keySets,
  type Lookup,
  now,
  oidcToken,
  outcome,
  project,
  serviceAccount,
  silentLog,
} from './tokens.ts';

describe('Bearer owner', () => {
  const owner = (address: string | undefined) => ({ authorization: 'Bearer owner', remoteAddress: address });
  const demo = createAuth(
    parseConfig({ ...environment, GOOGLE_CLOUD_PROJECT: 'demo-studio' }),
    silentLog,
    keySets,
  );

  it.each(['127.0.0.1', '127.5.5.5', '::1', '::ffff:127.0.0.1'])(
    'is the scheduler and an admin from %s',
    async (address) => {
      expect(await outcome(demo.scheduler(owner(address)))).toBe('accepted');
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
  ])('is refused from %s', async (address) => {
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
  ])('is accepted for the host %s', async (host) => {
    expect(await outcome(demo.scheduler({ ...owner('127.0.0.1'), host }))).toBe('accepted');
  });

  // A browser sends such a host for a page whose domain resolves to this machine, a tunnel for any visitor.
  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example:8080',
    'evil-localhost',
    '1127.0.0.1',
    '0.0.0.0:8080',
    '',
  ])('is refused for the host %j', async (host) => {
    expect(await outcome(demo.scheduler({ ...owner('127.0.0.1'), host }))).toBe('UNAUTHENTICATED');
    expect(await outcome(demo.admin({ ...owner('127.0.0.1'), host }))).toBe('UNAUTHENTICATED');
  });

  it.each<[string, Claims]>([
    ['a project that may exist at Google', {}],
    ['a project with demo in its name', { GOOGLE_CLOUD_PROJECT: 'my-demo-studio' }],
    ['a project that starts with demo but not demo-', { GOOGLE_CLOUD_PROJECT: 'demostudio' }],
    [
      'Cloud Run',
      { GOOGLE_CLOUD_PROJECT: 'demo-studio', K_SERVICE: 'sweepHolds', IDENTITY_HASH_KEY: 'k'.repeat(32) },
    ],
  ])('is refused for %s', async (_, more) => {
    const other = createAuth(parseConfig({ ...environment, ...(more as object) }), silentLog, keySets);
    expect(await outcome(other.scheduler(owner('127.0.0.1')))).toBe('UNAUTHENTICATED');
    expect(await outcome(other.admin(owner('127.0.0.1')))).toBe('UNAUTHENTICATED');
  });

  it.each(['bearer owner', 'Bearer Owner', 'Bearer owner ', 'Bearer  owner', 'owner'])(
    'may not be written %j',
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
    ['former', active({ localId: 'former', customAttributes: '{}' })],
    ['signed-out', active({ validSince: String(now()) })],
    ['broken', { status: 500, body: {} }],
  ]);
  const requests: { url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ url: request.url, authorization: request.headers.authorization });
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
    const config = parseConfig({ ...environment, FIREBASE_AUTH_EMULATOR_HOST: host });
    local = createAuth(config, silentLog, keySets);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const unsigned = (claims: Claims = {}) =>
    bearer(`${encode({ alg: 'none', typ: 'JWT' })}.${encode({ ...idClaims(), ...claims })}.`);

  it('accepts its unsigned tokens if the emulator knows the user', async () => {
    expect(await local.user(unsigned())).toMatchObject({ uid: 'alice', verified: true });
    expect(requests.at(-1)).toEqual({
      url: `/identitytoolkit.googleapis.com/v1/projects/${project}/accounts:lookup`,
      authorization: 'Bearer owner',
    });
    expect(await local.admin(unsigned({ admin: true }))).toEqual({
      actor: 'alice (alice@example.com)',
      uid: 'alice',
    });
    expect(await outcome(local.admin(unsigned()))).toBe('FORBIDDEN');
  });

  it('refuses an admin whose claim was taken back, although the token still has it', async () => {
    expect(await outcome(local.admin(unsigned({ sub: 'former', admin: true })))).toBe('FORBIDDEN');
    expect(await local.user(unsigned({ sub: 'former', admin: true }))).toMatchObject({ uid: 'former' });
  });

  it.each<[string, Claims]>([
    ['an unknown user', { sub: 'gone' }],
    ['a disabled user', { sub: 'disabled' }],
    ['a user who was signed out', { sub: 'signed-out' }],
    ['another project', { aud: 'other', iss: 'https://securetoken.google.com/other' }],
    ['an expiry in the past', { exp: now() - 1 }],
    ['auth_time in the future', { auth_time: now() + 60 }],
    ['no sub', { sub: undefined }],
    ['a list as sub', { sub: ['alice'] }],
    ['a sub with a slash', { sub: 'alice/entries' }],
  ])('refuses a token with %s', async (_, claims) => {
    expect(await outcome(local.user(unsigned({ ...claims, admin: true })))).toBe('UNAUTHENTICATED');
    expect(await outcome(local.admin(unsigned({ ...claims, admin: true })))).toBe('UNAUTHENTICATED');
  });

  it('answers 503 if the emulator fails', async () => {
    expect(await outcome(local.user(unsigned({ sub: 'broken' })))).toBe('AUTH_UNAVAILABLE');
  });

  it('refuses signed tokens of users, and still requires the scheduler’s token to be signed by Google', async () => {
    expect(await outcome(local.user(bearer(await idToken())))).toBe('UNAUTHENTICATED');
    expect(await outcome(local.scheduler(unsigned({ aud: audience, email: serviceAccount })))).toBe(
      'UNAUTHENTICATED',
    );
    expect(await outcome(local.scheduler(bearer(await oidcToken())))).toBe('accepted');
  });
});
