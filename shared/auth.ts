/**
 * Verifies the caller of a request. The only file that imports the token library.
 * Rules for ID tokens: Firebase's "Verify ID tokens using a third-party JWT library". Rules for the scheduler's
 * tokens: Google's OpenID Connect tokens for service accounts.
 */
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  UnsecuredJWT,
} from 'jose';
import * as z from 'zod';
import type { Config } from './config/config.ts';
import { uidSchema } from './contract.ts';
import { Failure } from './errors.ts';

/** A signed-in user. */
export type User = {
  uid: string;
  email: string | undefined;
  /** True if the e-mail address is verified or a provider signed the user in; false for an anonymous user. */
  verified: boolean;
};

/** The parts of a request that identify its caller. */
export type Credentials = {
  authorization: string | undefined;
  remoteAddress: string | undefined;
  /** The `Host` header. */
  host?: string | undefined;
};

/** `actor` is the e-mail address (or uid) for a person to read; `uid` never changes, an e-mail address can. */
export type Admin = { actor: string; uid: string };

export type Auth = {
  /** @throws {Failure} UNAUTHENTICATED. */
  user(credentials: Credentials): Promise<User>;
  /** A user with the claim `admin` who is not disabled or signed out. @throws {Failure} UNAUTHENTICATED, FORBIDDEN. */
  admin(credentials: Credentials): Promise<Admin>;
  /** @throws {Failure} UNAUTHENTICATED, FORBIDDEN. */
  scheduler(credentials: Credentials): Promise<void>;
};

/** Google's public keys. */
export type KeySets = { firebase: JWTVerifyGetKey; google: JWTVerifyGetKey };

const googleApis = 'https://www.googleapis.com';
const googleKeySets = (): KeySets => ({
  firebase: createRemoteJWKSet(
    new URL(`${googleApis}/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com`),
  ),
  google: createRemoteJWKSet(new URL(`${googleApis}/oauth2/v3/certs`)),
});

/** How far the clock of a token's issuer may be ahead of ours, seconds. */
const clockSkewSeconds = 5;
const lookupMsMax = 5_000;
const lookupSchema = z.object({
  users: z
    .array(z.object({ disabled: z.boolean().optional(), validSince: z.string().optional() }))
    .optional(),
});
const metadataTokenUrl =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';

type Claims = JWTPayload & {
  auth_time?: unknown;
  email?: unknown;
  email_verified?: unknown;
  admin?: unknown;
  firebase?: { sign_in_provider?: unknown };
};

/** @param keys Google's own unless a test injects others. */
export function createAuth(config: Config, keys: KeySets = googleKeySets()): Auth {
  const keySets = { firebase: requireKeyId(keys.firebase), google: requireKeyId(keys.google) };
  const { projectId, authEmulatorHost, scheduler } = config;
  const issuer = `https://securetoken.google.com/${projectId}`;

  /**
   * True for `Bearer owner`, the emulators' own superuser: accepted only from this machine, never on Cloud Run, and only
   * for a `demo-` project, which cannot exist at Google.
   */
  const isOwner = ({ authorization, remoteAddress, host }: Credentials) =>
    !config.deployed &&
    projectId.startsWith('demo-') &&
    isLoopback(remoteAddress) &&
    isLoopbackHost(host) &&
    authorization === 'Bearer owner';

  async function verifyIdToken(token: string): Promise<Claims> {
    const checks = { issuer, audience: projectId };
    if (!authEmulatorHost) {
      const { payload } = await jwtVerify(token, keySets.firebase, { ...checks, algorithms: ['RS256'] });
      return payload;
    }
    // The emulator's tokens have no signature. Only its list of users tells a real token from a made-up one.
    const { payload } = UnsecuredJWT.decode<Claims>(token, checks);
    // Check the claims before any of them goes to the emulator.
    assertFirebaseRules(payload);
    await assertNotRevoked(payload);
    return payload;
  }

  async function lookUp({ sub }: Claims): Promise<z.infer<typeof lookupSchema>> {
    const base = authEmulatorHost
      ? `http://${authEmulatorHost}/identitytoolkit.googleapis.com`
      : 'https://identitytoolkit.googleapis.com';
    const token = authEmulatorHost ? 'owner' : await fetchAccessToken();
    const response = await fetch(`${base}/v1/projects/${projectId}/accounts:lookup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ localId: [sub] }),
      signal: AbortSignal.timeout(lookupMsMax),
    });
    if (!response.ok) throw new Error(`accounts:lookup answered ${response.status}`);
    return lookupSchema.parse(await response.json());
  }

  /** @throws {Error} if the user is deleted or disabled, or was signed out everywhere after this sign-in. */
  async function assertNotRevoked(claims: Claims): Promise<void> {
    const { users } = await lookUp(claims).catch((error) => Promise.reject(verificationFailure(error)));
    const [user] = users ?? [];
    if (!user || user.disabled || Number(claims.auth_time) < Number(user.validSince ?? 0)) {
      throw new Error('The user is deleted, disabled or signed out');
    }
  }

  async function verifyUser(credentials: Credentials): Promise<Claims> {
    try {
      const claims = await verifyIdToken(parseBearer(credentials));
      assertFirebaseRules(claims);
      return claims;
    } catch (error) {
      throw error instanceof Failure ? error : unauthenticated(error);
    }
  }

  return {
    user: async (credentials) => toUser(await verifyUser(credentials)),

    async admin(credentials) {
      if (isOwner(credentials)) return { actor: 'owner', uid: 'owner' };
      const claims = await verifyUser(credentials);
      if (claims.admin !== true) throw new Failure('FORBIDDEN', 'This is for admins.');
      if (!authEmulatorHost) {
        await assertNotRevoked(claims).catch((error) => Promise.reject(toRefusal(error)));
      }
      return { actor: String(claims.email ?? claims.sub), uid: String(claims.sub) };
    },

    async scheduler(credentials) {
      if (isOwner(credentials)) return;
      const token = parseBearer(credentials);
      if (!scheduler.audience || !scheduler.serviceAccount) {
        throw new Failure('FORBIDDEN', 'No scheduler is configured.');
      }
      const { payload } = await jwtVerify<Claims>(token, keySets.google, {
        issuer: ['https://accounts.google.com', 'accounts.google.com'],
        audience: scheduler.audience,
        algorithms: ['RS256'],
        requiredClaims: ['exp', 'iat'],
      }).catch((error) => Promise.reject(toRefusal(error)));
      if (payload.email !== scheduler.serviceAccount || payload.email_verified !== true) {
        throw new Failure('FORBIDDEN', 'This is for the scheduler.');
      }
    },
  };
}

/**
 * Requires a key id, which jose ignores if the set has a single key. A failure to fetch the keys becomes an
 * error of the server, not of the token.
 */
function requireKeyId(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    if (!header?.kid) throw new Error('No kid');
    try {
      return await keys(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? error : verificationFailure(error);
    }
  };
}

function verificationFailure(cause: unknown): Failure {
  return new Failure('INTERNAL', 'Sign-ins cannot be verified right now. Please try again.', { cause });
}

function parseBearer({ authorization }: Credentials): string {
  // RFC 6750: the scheme in any case, then spaces, then the token.
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(authorization ?? '')?.[1];
  if (!token) throw unauthenticated(new Error('No bearer token'));
  return token;
}

/** Firebase's rules beyond signature, audience, issuer and expiry. */
function assertFirebaseRules({ sub, iat, exp, auth_time }: Claims): void {
  const latest = Date.now() / 1000 + clockSkewSeconds;
  const isPast = (time: unknown) => typeof time === 'number' && time <= latest;
  if (!uidSchema.safeParse(sub).success) throw new Error('Bad sub');
  if (typeof exp !== 'number' || !isPast(iat) || !isPast(auth_time)) throw new Error('Bad times');
}

function toUser(claims: Claims): User {
  const provider = claims.firebase?.sign_in_provider;
  const byProvider = typeof provider === 'string' && !['anonymous', 'password'].includes(provider);
  return {
    uid: claims.sub ?? '',
    email: typeof claims.email === 'string' ? claims.email : undefined,
    verified: provider !== 'anonymous' && (claims.email_verified === true || byProvider),
  };
}

/** An access token of this function's service account, from Cloud Run's metadata server. */
async function fetchAccessToken(): Promise<string> {
  const response = await fetch(metadataTokenUrl, {
    headers: { 'metadata-flavor': 'Google' },
    signal: AbortSignal.timeout(lookupMsMax),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

function unauthenticated(cause: unknown): Failure {
  return new Failure('UNAUTHENTICATED', 'Please sign in: a valid Firebase ID token is needed.', {
    cause,
    headers: { 'WWW-Authenticate': 'Bearer' },
  });
}

const toRefusal = (error: unknown) => (error instanceof Failure ? error : unauthenticated(error));

function isLoopback(address: string | undefined): boolean {
  return /^(::1$|(::ffff:)?127\.)/.test(address ?? '');
}

/**
 * False for a page whose domain resolves to this machine (DNS rebinding) and for a tunnel from the internet: both
 * send another host. Browsers always send one.
 */
function isLoopbackHost(host: string | undefined): boolean {
  return host === undefined || /^(([\w-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host);
}
