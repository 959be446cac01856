/** Verifies the signatures and the standard claims of tokens. The only file that imports the token library. */
import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
  UnsecuredJWT,
} from 'jose';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Failure } from '../errors.ts';
import { createKeyCache } from './keyCache.ts';
import { signInsUnavailable } from './unavailable.ts';

/** Google's public keys: those of Firebase's ID tokens, and those of the tokens of service accounts. */
export type KeySets = { firebase: JWTVerifyGetKey; google: JWTVerifyGetKey };

const googleApis = 'https://www.googleapis.com';

export function createGoogleKeySets(log: Log, clock: Pick<Clock, 'elapsed'> = systemClock): KeySets {
  const keySet = (path: string) => createKeySet(`${googleApis}${path}`, { log, clock });
  return {
    firebase: keySet('/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com'),
    google: keySet('/oauth2/v3/certs'),
  };
}

function createKeySet(url: string, parts: { log: Log; clock: Pick<Clock, 'elapsed'> }): JWTVerifyGetKey {
  const cache = createKeyCache(url, parseKeys, parts);
  return async (header, token) => {
    const keys = await cache.get();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return (await cache.getNewer())(header, token);
    }
  };
}

function parseKeys(json: unknown): JWTVerifyGetKey {
  const { keys } = (json ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('The reply has no keys');
  return createLocalJWKSet(json as JSONWebKeySet);
}

type Checks = { issuer: string | string[]; audience: string };

/**
 * Returns the claims of a token that Google has signed.
 * @throws {Error} if it is not valid. @throws {Failure} AUTH_UNAVAILABLE.
 */
export async function verifySigned<Claims>(
  token: string,
  keys: JWTVerifyGetKey,
  checks: Checks & { requiredClaims?: string[] },
): Promise<Claims> {
  const { payload } = await jwtVerify<Claims>(token, requireKeyId(keys), {
    ...checks,
    algorithms: ['RS256'],
  });
  return payload;
}

/** Returns the claims of a token of the Auth emulator, which signs none. @throws {Error} if it is not valid. */
export const parseUnsigned = <Claims>(token: string, checks: Checks): Claims =>
  UnsecuredJWT.decode<Claims>(token, checks).payload;

/**
 * Requires a key id, which jose ignores if the set has a single key. Keys that cannot be read are a failure of the
 * server, not of the token.
 */
function requireKeyId(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    if (!header?.kid) throw new Error('No kid');
    try {
      return await keys(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof Failure) throw error;
      throw signInsUnavailable(error);
    }
  };
}
