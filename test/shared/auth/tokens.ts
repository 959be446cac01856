/** Tokens as Firebase and Google sign them, but with keys of the tests, and a verifier that trusts these keys. */
import {
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { createAuth } from '../../../shared/auth/auth.ts';
import type { KeySets } from '../../../shared/auth/tokens.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { createLog } from '../../../shared/core/log.ts';
import { toFailure } from '../../../shared/errors.ts';

export const project = 'nano-studio';
export const audience = 'https://sweep.example.com';
export const serviceAccount = 'scheduler@nano-studio.iam.gserviceaccount.com';
export const environment = {
  GOOGLE_CLOUD_PROJECT: project,
  SCHEDULER_AUDIENCE: audience,
  SCHEDULER_SERVICE_ACCOUNT: serviceAccount,
};

const [firebaseKeys, googleKeys, strangerKeys] = await Promise.all(
  Array.from({ length: 3 }, () => generateKeyPair('RS256', { extractable: true })),
);
if (!firebaseKeys || !googleKeys || !strangerKeys) throw new Error('No keys');
export type Keys = typeof firebaseKeys;
export const [firebase, google, stranger]: [Keys, Keys, Keys] = [firebaseKeys, googleKeys, strangerKeys];
export const elliptic = await generateKeyPair('ES256');
/** Firebase's own key, to sign with an algorithm that Firebase does not use. */
export async function otherAlgorithm(alg: string): Promise<Keys> {
  const jwk = await exportJWK(firebase.privateKey);
  return {
    publicKey: firebase.publicKey,
    privateKey: (await importJWK(jwk, alg)) as Keys['privateKey'],
  };
}
const keySet = async (keys: Keys, kid: string) =>
  createLocalJWKSet({ keys: [{ ...(await exportJWK(keys.publicKey)), kid, alg: 'RS256', use: 'sig' }] });
export const keySets: KeySets = {
  firebase: await keySet(firebase, 'firebase-1'),
  google: await keySet(google, 'google-1'),
};
export const publicPem = await exportSPKI(firebase.publicKey);

export const silentLog = createLog(() => {});
export const auth = createAuth(parseConfig(environment), silentLog, keySets);
export const now = () => Math.floor(Date.now() / 1000);
export const remoteAddress = '203.0.113.7';
export const bearer = (token: string) => ({ authorization: `Bearer ${token}`, remoteAddress });

export type Claims = Record<string, unknown>;
/** The claims of a valid ID token. */
export const idClaims = (): Claims => ({
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
/** A valid ID token with some claims changed; undefined removes a claim. */
export const idToken = (claims: Claims = {}, header: Claims = {}, keys: Keys = firebase) =>
  sign({ ...idClaims(), ...claims }, keys, { kid: 'firebase-1', ...header });
/** A valid token of Cloud Scheduler with some claims changed. */
export const oidcToken = (claims: Claims = {}, header: Claims = {}, keys: Keys = google) =>
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

export const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
/** The caller, `accepted` for the scheduler, or the reason of the refusal. */
export const outcome = (call: Promise<unknown>) =>
  call.then(
    (caller) => caller ?? 'accepted',
    (error) => toFailure(error).reason,
  );

export type MakeToken = () => string | Promise<string>;

/** What Google's accounts:lookup answers. */
export type Lookup = { status?: number; body?: unknown; unreachable?: boolean; noToken?: () => Response };
/** A user who exists, may sign in and is an admin. */
export const active = (user: Claims = {}): Lookup => ({
  body: {
    users: [
      {
        localId: 'alice',
        validSince: String(now() - 6_000),
        customAttributes: '{"team":"blue","admin":true}',
        ...user,
      },
    ],
  },
});
