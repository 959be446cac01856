/** Google's public keys: how long they are used, when they are fetched again, and what happens if they cannot be. */
import { exportJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuth } from '../../../shared/auth/auth.ts';
import { createGoogleKeySets } from '../../../shared/auth/tokens.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { createLog } from '../../../shared/core/log.ts';
import { toFailure } from '../../../shared/errors.ts';
import { virtualClock } from '../../support/virtualClock.ts';
import {
  bearer,
  environment,
  firebase,
  google,
  idToken,
  type Keys,
  oidcToken,
  outcome,
  stranger,
} from './tokens.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** What Google's endpoint does: it answers with these headers, or with any response, or not at all. */
type Endpoint = { keys: object[]; headers?: Record<string, string> } | (() => Response | Promise<Response>);

const toKey = async (keys: Keys, kid: string) => ({
  ...(await exportJWK(keys.publicKey)),
  kid,
  alg: 'RS256',
  use: 'sig',
});
const firebaseKey = await toKey(firebase, 'firebase-1');
const googleKey = await toKey(google, 'google-1');
const nextKey = await toKey(stranger, 'firebase-2');
const sixHours = { 'cache-control': 'public, max-age=22000, must-revalidate, no-transform' };
const refused: Endpoint = () => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
};
const answerWith = (status: number, body: string) => () => new Response(body, { status });

let endpoint: Endpoint;
let fetches: string[];
beforeEach(() => {
  fetches = [];
  vi.stubGlobal('fetch', async (url: string) => {
    fetches.push(url);
    if (typeof endpoint === 'function') return endpoint();
    return Response.json({ keys: endpoint.keys }, { headers: endpoint.headers ?? sixHours });
  });
});
afterEach(() => void vi.unstubAllGlobals());

/** An instance that has just started, and two callers: a user, and the scheduler. */
function startInstance() {
  const { clock, advance } = virtualClock();
  const lines: Record<string, unknown>[] = [];
  const log = createLog((line) => void lines.push(JSON.parse(line)));
  const auth = createAuth(parseConfig(environment), log, createGoogleKeySets(log, clock));
  const callers = {
    user: async () => outcome(auth.user(bearer(await idToken()))),
    scheduler: async () => outcome(auth.scheduler(bearer(await oidcToken()))),
    /** A user whose token is signed with the key that follows. */
    nextUser: async () => outcome(auth.user(bearer(await idToken({}, { kid: 'firebase-2' }, stranger)))),
  };
  return { ...callers, auth, advance, lines };
}
const signedIn = expect.objectContaining({ uid: 'alice' });
/** Lets a refresh in the background end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe.each([
  ['a user', 'user', firebaseKey, signedIn],
  ['the scheduler', 'scheduler', googleKey, 'accepted'],
] as const)("Google's keys for %s", (_, caller, key, accepted) => {
  it('are fetched once and used for as long as Google says', async () => {
    endpoint = { keys: [key] };
    const instance = startInstance();
    expect(await Promise.all([instance[caller](), instance[caller]()])).toEqual([accepted, accepted]);
    endpoint = refused;
    instance.advance(11 * minute);
    expect(await instance[caller]()).toEqual(accepted);
    instance.advance(5 * hour);
    expect(await instance[caller]()).toEqual(accepted);
    await settle();
    expect(fetches).toHaveLength(1);
    expect(instance.lines).toEqual([]);
  });

  it('are used for a day after their fetch if they cannot be fetched again, and then no longer', async () => {
    endpoint = { keys: [key] };
    const instance = startInstance();
    await instance[caller]();
    endpoint = refused;
    instance.advance(23 * hour);
    expect(await instance[caller]()).toEqual(accepted);
    await settle();
    expect(fetches).toHaveLength(2);
    expect(instance.lines).toMatchObject([
      { severity: 'WARNING', event: 'auth_unavailable', cause: 'fetch failed: ECONNREFUSED' },
    ]);
    instance.advance(hour);
    expect(await instance[caller]()).toBe('AUTH_UNAVAILABLE');
    endpoint = { keys: [key] };
    expect(await instance[caller]()).toEqual(accepted);
  });

  it('are AUTH_UNAVAILABLE if there are none, and a later call tries again', async () => {
    endpoint = refused;
    const instance = startInstance();
    expect(await instance[caller]()).toBe('AUTH_UNAVAILABLE');
    expect(instance.lines).toMatchObject([{ event: 'auth_unavailable' }]);
    endpoint = { keys: [key] };
    expect(await instance[caller]()).toEqual(accepted);
  });
});

describe('a refresh', () => {
  it('that takes long delays nobody with a known key', async () => {
    endpoint = { keys: [firebaseKey] };
    const instance = startInstance();
    await instance.user();
    const { promise, resolve } = Promise.withResolvers<Response>();
    endpoint = () => promise;
    instance.advance(7 * hour);
    expect(await instance.user()).toEqual(signedIn);
    expect(await instance.user()).toEqual(signedIn);
    expect(fetches).toHaveLength(2);
    const waiting = instance.nextUser();
    resolve(Response.json({ keys: [nextKey] }));
    expect(await waiting).toEqual(signedIn);
    // The old key is no longer among them.
    expect(await instance.user()).toBe('UNAUTHENTICATED');
  });

  it('that failed is tried again after 30 s, not by every request', async () => {
    endpoint = { keys: [firebaseKey] };
    const instance = startInstance();
    await instance.user();
    endpoint = refused;
    instance.advance(7 * hour);
    for (let i = 0; i < 5; i += 1) {
      expect(await instance.user()).toEqual(signedIn);
      await settle();
    }
    expect(fetches).toHaveLength(2);
    instance.advance(31 * second);
    endpoint = { keys: [firebaseKey] };
    await instance.user();
    await settle();
    expect(fetches).toHaveLength(3);
    instance.advance(hour);
    await instance.user();
    await settle();
    expect(fetches).toHaveLength(3);
  });

  it.each<[string, Endpoint]>([
    ['no connection', refused],
    ['500', answerWith(500, 'oops')],
    ['a redirect', answerWith(302, '')],
    ['an HTML page', answerWith(200, '<html></html>')],
    ['null', answerWith(200, 'null')],
    ['no keys', answerWith(200, '{"keys":[]}')],
    ['keys that are not keys', answerWith(200, '{"keys":[7]}')],
  ])('with %s keeps the last good keys', async (_, broken) => {
    endpoint = { keys: [firebaseKey] };
    const instance = startInstance();
    await instance.user();
    endpoint = broken;
    instance.advance(7 * hour);
    expect(await instance.user()).toEqual(signedIn);
    await settle();
    expect(instance.lines).toMatchObject([{ event: 'auth_unavailable' }]);
    expect(await instance.user()).toEqual(signedIn);
  });

  it.each([
    ['max-age less the time in caches', { 'cache-control': 'max-age=3600', age: '3000' }, 10 * minute],
    ['10 minutes without Cache-Control', { 'cache-control': '' }, 10 * minute],
    ['max-age of several words', { 'cache-control': 'Public,Max-Age=120' }, 2 * minute],
    ['30 s at the least', { 'cache-control': 'max-age=0' }, 30 * second],
  ])('begins after %s', async (_, headers, freshMs) => {
    endpoint = { keys: [firebaseKey], headers };
    const instance = startInstance();
    await instance.user();
    instance.advance(freshMs - second);
    await instance.user();
    expect(fetches).toHaveLength(1);
    instance.advance(second);
    await instance.user();
    await settle();
    expect(fetches).toHaveLength(2);
  });
});

describe('a key that is not known', () => {
  it('is fetched at once, and known to all from then on', async () => {
    endpoint = { keys: [firebaseKey] };
    const instance = startInstance();
    await instance.user();
    instance.advance(minute);
    endpoint = { keys: [firebaseKey, nextKey] };
    expect(await Promise.all([instance.nextUser(), instance.nextUser()])).toEqual([signedIn, signedIn]);
    expect(await instance.user()).toEqual(signedIn);
    expect(fetches).toHaveLength(2);
  });

  it('is refused if Google does not know it either, with at most one fetch in 30 s', async () => {
    endpoint = { keys: [firebaseKey] };
    const instance = startInstance();
    for (let i = 0; i < 5; i += 1) expect(await instance.nextUser()).toBe('UNAUTHENTICATED');
    expect(fetches).toHaveLength(1);
    instance.advance(31 * second);
    for (let i = 0; i < 5; i += 1) expect(await instance.nextUser()).toBe('UNAUTHENTICATED');
    expect(fetches).toHaveLength(2);
  });

  it('is AUTH_UNAVAILABLE while Google cannot be asked, and others stay signed in', async () => {
    endpoint = { keys: [firebaseKey] };
    const instance = startInstance();
    await instance.user();
    instance.advance(minute);
    endpoint = refused;
    expect(await instance.nextUser()).toBe('AUTH_UNAVAILABLE');
    expect(await instance.nextUser()).toBe('AUTH_UNAVAILABLE');
    expect(await instance.user()).toEqual(signedIn);
    expect(fetches).toHaveLength(2);
  });
});

it('says after how many seconds to ask again', async () => {
  endpoint = refused;
  const { auth } = startInstance();
  const failure = toFailure(await auth.user(bearer(await idToken())).catch((error) => error));
  expect(failure).toMatchObject({ reason: 'AUTH_UNAVAILABLE', details: { retryAfterSeconds: 5 } });
});
