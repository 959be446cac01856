/**
 * Who calls, and the only place that imports the token library.
 * Rules for ID tokens: Firebase's "Verify ID tokens using a third-party JWT library"; for the
 * scheduler's: Google's OpenID Connect tokens for service accounts.
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
  /** A verified e-mail or a provider's sign-in; never an anonymous user. */
  verified: boolean;
  admin: boolean;
};

/** What an `Authorization` header must prove, and from where it came. */
export type Credentials = {
  authorization: string | undefined;
  remoteAddress: string | undefined;
  /** The `Host` header: what the client takes this server for. */
  host?: string | undefined;
};

/** An admin: who it is for a person to read, and for good (an e-mail can change). */
export type Admin = { actor: string; uid: string };

export type Auth = {
  /** @throws {Failure} UNAUTHENTICATED. */
  user(credentials: Credentials): Promise<User>;
  /** A user with the claim `admin`, not revoked; returns who it is. @throws {Failure} UNAUTHENTICATED, FORBIDDEN. */
  admin(credentials: Credentials): Promise<Admin>;
  /** @throws {Failure} UNAUTHENTICATED, FORBIDDEN. */
  scheduler(credentials: Credentials): Promise<{ actor: string }>;
};

/** Google's public keys; a test injects its own. */
export type KeySets = { firebase: JWTVerifyGetKey; google: JWTVerifyGetKey };

const googleApis = 'https://www.googleapis.com';
const googleKeySets = (): KeySets => ({
  firebase: createRemoteJWKSet(
    new URL(`${googleApis}/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com`),
  ),
  google: createRemoteJWKSet(new URL(`${googleApis}/oauth2/v3/certs`)),
});

/** How far ahead of ours the clock of whoever made a token may be, seconds. */
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

/** The verifier of a configuration. */
export function createAuth(config: Config, given: KeySets = googleKeySets()): Auth {
  const keySets = { firebase: strict(given.firebase), google: strict(given.google) };
  const { projectId, authEmulatorHost, scheduler } = config;
  const issuer = `https://securetoken.google.com/${projectId}`;

  /** On this machine alone, and for a project that cannot exist, the emulators' own word is enough. */
  const isOwner = ({ authorization, remoteAddress, host }: Credentials) =>
    !config.deployed &&
    projectId.startsWith('demo-') &&
    isLoopback(remoteAddress) &&
    isLoopbackHost(host) &&
    authorization === 'Bearer owner';

  async function idTokenClaims(token: string): Promise<Claims> {
    const checks = { issuer, audience: projectId };
    if (!authEmulatorHost) {
      const { payload } = await jwtVerify(token, keySets.firebase, { ...checks, algorithms: ['RS256'] });
      return payload;
    }
    // The emulator signs nothing; that its user exists is what tells its tokens from made-up ones.
    const { payload } = UnsecuredJWT.decode<Claims>(token, checks);
    // Anybody can write one: it is read before the emulator is asked about it.
    assertFirebaseRules(payload);
    await assertNotRevoked(payload);
    return payload;
  }

  async function lookUp({ sub }: Claims): Promise<z.infer<typeof lookupSchema>> {
    const base = authEmulatorHost
      ? `http://${authEmulatorHost}/identitytoolkit.googleapis.com`
      : 'https://identitytoolkit.googleapis.com';
    const token = authEmulatorHost ? 'owner' : await accessToken();
    const response = await fetch(`${base}/v1/projects/${projectId}/accounts:lookup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ localId: [sub] }),
      signal: AbortSignal.timeout(lookupMsMax),
    });
    if (!response.ok) throw new Error(`accounts:lookup answered ${response.status}`);
    return lookupSchema.parse(await response.json());
  }

  /** @throws {Error} where the user is gone, disabled, or was signed out everywhere since the token's sign-in. */
  async function assertNotRevoked(claims: Claims): Promise<void> {
    const { users } = await lookUp(claims).catch((error) => Promise.reject(cannotCheck(error)));
    const [user] = users ?? [];
    if (!user || user.disabled || Number(claims.auth_time) < Number(user.validSince ?? 0)) {
      throw new Error('The user is gone, disabled or signed out');
    }
  }

  async function verified(credentials: Credentials): Promise<Claims> {
    try {
      const claims = await idTokenClaims(bearer(credentials));
      assertFirebaseRules(claims);
      return claims;
    } catch (error) {
      throw error instanceof Failure ? error : unauthenticated(error);
    }
  }

  return {
    user: async (credentials) => toUser(await verified(credentials)),

    async admin(credentials) {
      if (isOwner(credentials)) return { actor: 'owner', uid: 'owner' };
      const claims = await verified(credentials);
      if (claims.admin !== true) throw new Failure('FORBIDDEN', 'This is for admins.');
      if (!authEmulatorHost)
        await assertNotRevoked(claims).catch((error) => Promise.reject(asRefusal(error)));
      return { actor: String(claims.email ?? claims.sub), uid: String(claims.sub) };
    },

    async scheduler(credentials) {
      if (isOwner(credentials)) return { actor: 'owner' };
      const token = bearer(credentials);
      if (!scheduler.audience || !scheduler.serviceAccount) {
        throw new Failure('FORBIDDEN', 'No scheduler is configured.');
      }
      const { payload } = await jwtVerify<Claims>(token, keySets.google, {
        issuer: ['https://accounts.google.com', 'accounts.google.com'],
        audience: scheduler.audience,
        algorithms: ['RS256'],
        requiredClaims: ['exp', 'iat'],
      }).catch((error) => Promise.reject(asRefusal(error)));
      if (payload.email !== scheduler.serviceAccount || payload.email_verified !== true) {
        throw new Failure('FORBIDDEN', 'This is for the scheduler.');
      }
      return { actor: payload.email };
    },
  };
}

/**
 * The same keys, but only by their ids, which a set of one key would do without; and that they cannot be
 * had is our trouble, no fault of the token's.
 */
function strict(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    if (!header?.kid) throw new Error('No kid');
    try {
      return await keys(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? error : cannotCheck(error);
    }
  };
}

function cannotCheck(cause: unknown): Failure {
  return new Failure('INTERNAL', 'Sign-ins cannot be checked now. Please ask again.', { cause });
}

function bearer({ authorization }: Credentials): string {
  // RFC 6750: the scheme in any case, then blanks, then the token.
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(authorization ?? '')?.[1];
  if (!token) throw unauthenticated(new Error('No bearer token'));
  return token;
}

/** The rules that a signature, audience, issuer and expiry check leave over. */
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
    admin: claims.admin === true,
  };
}

/** An access token of the function's own service account, from Cloud Run's metadata server. */
async function accessToken(): Promise<string> {
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

const asRefusal = (error: unknown) => (error instanceof Failure ? error : unauthenticated(error));

function isLoopback(address: string | undefined): boolean {
  return /^(::1$|(::ffff:)?127\.)/.test(address ?? '');
}

/**
 * A page of anybody's that has its own name lead to this machine is let in by the browser as if it were ours,
 * and tunnels hand on the internet from here: both name another host. No browser leaves it out.
 */
function isLoopbackHost(host: string | undefined): boolean {
  return host === undefined || /^(([\w-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host);
}
