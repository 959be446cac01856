/** Looks users up in Firebase Authentication: Google's, or the Auth emulator. */
import * as z from 'zod';
import type { Config } from '../config/config.ts';
import type { Log } from '../core/log.ts';
import { logUnavailable, signInsUnavailable } from './unavailable.ts';

/** Longest wait for a look-up, or for the access token that it needs, milliseconds. */
const lookupMsMax = 5_000;
/** Most users that one look-up names. Google's own SDKs ask for no more. */
export const lookupUidsMax = 100;

/** A user who exists. `admin` is true if the user has the custom claim now; a token may have an older one. */
export type FirebaseUser = { uid: string; disabled: boolean; signedOutBefore: number; admin: boolean };

/** https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts/lookup: users it does not know are left out. */
const answerSchema = z.object({
  users: z
    .array(
      z.object({
        localId: z.string(),
        disabled: z.boolean().optional(),
        /** Sign-ins before it are revoked, seconds since 1970. */
        validSince: z.string().optional(),
        /** The custom claims as JSON. */
        customAttributes: z.string().optional(),
      }),
    )
    .optional(),
});
const metadataTokenUrl =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';
const accessTokenSchema = z.object({ access_token: z.string() });

type LookupConfig = Pick<Config, 'projectId' | 'authEmulatorHost'>;
export type LookUpUsers = (uids: readonly string[]) => Promise<FirebaseUser[]>;

/**
 * Creates a function that returns those of up to 100 users that exist.
 * It throws {Failure} AUTH_UNAVAILABLE if they cannot be looked up.
 */
export function createUserLookup({ projectId, authEmulatorHost }: LookupConfig, log: Log): LookUpUsers {
  const base = authEmulatorHost
    ? `http://${authEmulatorHost}/identitytoolkit.googleapis.com`
    : 'https://identitytoolkit.googleapis.com';

  async function lookUp(uids: readonly string[]): Promise<FirebaseUser[]> {
    const token = authEmulatorHost ? 'owner' : await fetchAccessToken();
    const response = await fetch(`${base}/v1/projects/${projectId}/accounts:lookup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ localId: uids }),
      signal: AbortSignal.timeout(lookupMsMax),
    });
    if (!response.ok) throw new Error(`accounts:lookup answered ${response.status}`);
    const { users = [] } = answerSchema.parse(await response.json());
    return users.map(({ localId, disabled = false, validSince, customAttributes }) => ({
      uid: localId,
      disabled,
      signedOutBefore: Number(validSince ?? 0),
      admin: isAdmin(customAttributes),
    }));
  }

  return async (uids) => {
    try {
      return await lookUp(uids);
    } catch (error) {
      logUnavailable(log, 'Users cannot be looked up', error);
      throw signInsUnavailable(error);
    }
  };
}

function isAdmin(customAttributes = '{}'): boolean {
  try {
    return (JSON.parse(customAttributes) as { admin?: unknown } | null)?.admin === true;
  } catch {
    return false;
  }
}

/** An access token of this function's service account, from Cloud Run's metadata server. */
async function fetchAccessToken(): Promise<string> {
  const response = await fetch(metadataTokenUrl, {
    headers: { 'metadata-flavor': 'Google' },
    signal: AbortSignal.timeout(lookupMsMax),
  });
  if (!response.ok) throw new Error(`The metadata server answered ${response.status}`);
  return accessTokenSchema.parse(await response.json()).access_token;
}
