/**
 * Verifies the caller of a request.
 * Rules for ID tokens: Firebase's "Verify ID tokens using a third-party JWT library". Rules for the scheduler's
 * tokens: Google's OpenID Connect tokens for service accounts.
 */
import type { Config } from '../config/config.ts';
import { uidSchema } from '../contract/ids.ts';
import type { Log } from '../core/log.ts';
import { Failure } from '../errors.ts';
import { hashIdentities, type Identity, type Proofs } from '../identity.ts';
import { createGoogleKeySets, type KeySets, parseUnsigned, verifySigned } from './tokens.ts';
import { createUsers, type FirebaseUser } from './users.ts';

/** A signed-in user. */
export type User = {
  uid: string;
  /** A verified address, or none. */
  email: string | undefined;
  /** True if the e-mail address is verified or a provider signed the user in; false for an anonymous user. */
  verified: boolean;
  /** What the sign-in proves about the person; empty for a user who is not verified. */
  identities: readonly Identity[];
  /** When the user signed in: the token's `auth_time`. Refreshing a token does not change it. */
  signedInAt: Date;
};

/** The parts of a request that identify its caller. */
export type Credentials = {
  authorization: string | undefined;
  remoteAddress: string | undefined;
  /** The `Host` header. */
  host?: string | undefined;
};

/** `actor` names the admin for a person to read: the uid, with the e-mail address if it is verified. */
export type Admin = { actor: string; uid: string };

export type Auth = {
  /** @throws {Failure} UNAUTHENTICATED, AUTH_UNAVAILABLE. */
  user(credentials: Credentials): Promise<User>;
  /**
   * A user with the claim `admin`, in the token and at Google now, who is not disabled or signed out.
   * @throws {Failure} UNAUTHENTICATED, FORBIDDEN, AUTH_UNAVAILABLE.
   */
  admin(credentials: Credentials): Promise<Admin>;
  /** @throws {Failure} UNAUTHENTICATED, FORBIDDEN, AUTH_UNAVAILABLE. */
  scheduler(credentials: Credentials): Promise<void>;
};

/** How far the clock of a token's issuer may be ahead of ours, seconds. */
const clockSkewSeconds = 5;

type Claims = {
  sub?: string;
  iat?: unknown;
  exp?: unknown;
  auth_time?: unknown;
  email?: unknown;
  email_verified?: unknown;
  admin?: unknown;
  firebase?: { sign_in_provider?: unknown; identities?: Record<string, unknown> };
};

/** @param keys Google's own unless a test injects others. */
export function createAuth(config: Config, log: Log, keys: KeySets = createGoogleKeySets(log)): Auth {
  const { projectId, authEmulatorHost, scheduler } = config;
  const issuer = `https://securetoken.google.com/${projectId}`;
  const { lookUp } = createUsers(config, log);

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
    if (!authEmulatorHost) return verifySigned<Claims>(token, keys.firebase, checks);
    // The emulator's tokens have no signature. Only its list of users tells a real token from a made-up one.
    const claims = parseUnsigned<Claims>(token, checks);
    // Check the claims before any of them goes to the emulator.
    assertFirebaseRules(claims);
    await findActiveUser(claims);
    return claims;
  }

  /** @throws {Error} if the user is deleted or disabled, or was signed out everywhere after this sign-in. */
  async function findActiveUser({ sub = '', auth_time }: Claims): Promise<FirebaseUser> {
    const [user] = await lookUp([sub]);
    if (!user || user.disabled || Number(auth_time) < user.signedOutBefore) {
      throw new Error('The user is deleted, disabled or signed out');
    }
    return user;
  }

  async function verifyUser(credentials: Credentials): Promise<Claims> {
    try {
      const claims = await verifyIdToken(parseBearer(credentials));
      assertFirebaseRules(claims);
      return claims;
    } catch (error) {
      throw toRefusal(error);
    }
  }

  return {
    user: async (credentials) => toUser(await verifyUser(credentials), config.identityKeys),

    async admin(credentials) {
      if (isOwner(credentials)) return { actor: 'owner', uid: 'owner' };
      const claims = await verifyUser(credentials);
      // An ordinary user costs no look-up.
      if (claims.admin !== true) throw notAdmin();
      const { admin } = await findActiveUser(claims).catch((error) => Promise.reject(toRefusal(error)));
      if (!admin) throw notAdmin();
      return { actor: formatActor(claims), uid: String(claims.sub) };
    },

    async scheduler(credentials) {
      if (isOwner(credentials)) return;
      const token = parseBearer(credentials);
      if (!scheduler.audience || !scheduler.serviceAccount) {
        throw new Failure('FORBIDDEN', 'No scheduler is configured.');
      }
      const claims = await verifySigned<Claims>(token, keys.google, {
        issuer: ['https://accounts.google.com', 'accounts.google.com'],
        audience: scheduler.audience,
        requiredClaims: ['exp', 'iat'],
      }).catch((error) => Promise.reject(toRefusal(error)));
      if (claims.email !== scheduler.serviceAccount || claims.email_verified !== true) {
        throw new Failure('FORBIDDEN', 'This is for the scheduler.');
      }
    },
  };
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

function toUser(claims: Claims, identityKeys: readonly string[]): User {
  const provider = claims.firebase?.sign_in_provider;
  const byProvider = typeof provider === 'string' && !['anonymous', 'password'].includes(provider);
  const verified = provider !== 'anonymous' && (claims.email_verified === true || byProvider);
  return {
    uid: claims.sub ?? '',
    email: getVerifiedEmail(claims),
    verified,
    identities: verified ? hashIdentities(toProofs(claims), identityKeys) : [],
    signedInAt: new Date(Number(claims.auth_time) * 1000),
  };
}

const getVerifiedEmail = ({ email, email_verified }: Claims) =>
  typeof email === 'string' && email_verified === true ? email : undefined;

/** What the token proves. `firebase.identities` names each provider with its subjects, and also `email` and `phone`. */
function toProofs(claims: Claims): Proofs {
  const { email: _, phone, ...providers } = claims.firebase?.identities ?? {};
  const toTexts = (values: unknown) =>
    Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
  const subjects = Object.entries(providers).flatMap(([provider, values]) =>
    toTexts(values).map((subject) => ({ provider, subject })),
  );
  return { email: getVerifiedEmail(claims), phone: toTexts(phone)[0], subjects };
}

/** The uid, which never changes, and the e-mail address if it is verified: `uid (ada@example.com)`. */
function formatActor({ sub, email, email_verified }: Claims): string {
  return typeof email === 'string' && email_verified === true ? `${sub} (${email})` : String(sub);
}

const notAdmin = () => new Failure('FORBIDDEN', 'This is for admins.');

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
