/** The users of Firebase Authentication: Google's, or the Auth emulator's. */
import * as z from 'zod';
import type { Config } from '../config/config.ts';
import type { Log } from '../core/log.ts';
import { fetchAccessToken } from './accessToken.ts';
import { logUnavailable, signInsUnavailable } from './unavailable.ts';

/** Longest wait for an answer, milliseconds. */
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
type UsersConfig = Pick<Config, 'projectId' | 'authEmulatorHost'>;
export type LookUpUsers = (uids: readonly string[]) => Promise<FirebaseUser[]>;

/** The list of users. Each throws {Failure} AUTH_UNAVAILABLE if it cannot be reached. */
export type Users = {
  /** Returns those of up to 100 users that exist. */
  lookUp: LookUpUsers;
  /** Returns the uids of the users with an address in lower case, verified or not. */
  findByEmail(email: string): Promise<string[]>;
  /** Deletes a user for good. May be repeated. */
  remove(uid: string): Promise<void>;
};

export function createUsers({ projectId, authEmulatorHost }: UsersConfig, log: Log): Users {
  const base = authEmulatorHost
    ? `http://${authEmulatorHost}/identitytoolkit.googleapis.com`
    : 'https://identitytoolkit.googleapis.com';

  async function call(
    action: 'lookup' | 'delete',
    body: { localId: string | readonly string[] } | { email: string[] },
  ): Promise<Response> {
    const token = authEmulatorHost ? 'owner' : await fetchAccessToken();
    return fetch(`${base}/v1/projects/${projectId}/accounts:${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(lookupMsMax),
    });
  }

  async function find(who: { localId: readonly string[] } | { email: string[] }): Promise<FirebaseUser[]> {
    const response = await call('lookup', who);
    if (!response.ok) throw new Error(`accounts:lookup answered ${response.status}`);
    const { users = [] } = answerSchema.parse(await response.json());
    return users.map(({ localId, disabled = false, validSince, customAttributes }) => ({
      uid: localId,
      disabled,
      signedOutBefore: Number(validSince ?? 0),
      admin: isAdmin(customAttributes),
    }));
  }

  /** https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts/delete */
  async function remove(uid: string): Promise<void> {
    const response = await call('delete', { localId: uid });
    if (response.ok) return;
    const text = await response.text();
    if (response.status === 400 && text.includes('USER_NOT_FOUND')) return;
    throw new Error(`accounts:delete answered ${response.status}`);
  }

  const orUnavailable = (message: string) => (error: unknown) => {
    logUnavailable(log, message, error);
    throw signInsUnavailable(error);
  };
  const lookUp = (who: Parameters<typeof find>[0]) =>
    find(who).catch(orUnavailable('Users cannot be looked up'));
  return {
    lookUp: (localId) => lookUp({ localId }),
    findByEmail: async (email) => (await lookUp({ email: [email] })).map(({ uid }) => uid),
    remove: (uid) => remove(uid).catch(orUnavailable('A user cannot be deleted')),
  };
}

function isAdmin(customAttributes = '{}'): boolean {
  try {
    return (JSON.parse(customAttributes) as { admin?: unknown } | null)?.admin === true;
  } catch {
    return false;
  }
}
