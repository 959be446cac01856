/** Users of a stack: their tokens, their credits and the calls that they make. */
import { SignJWT } from 'jose';
import type { createFirestoreConsole } from './firestoreConsole.ts';
import type { watchLeaks } from './leaks.ts';
import type { Reply } from './replies.ts';

type Claims = Record<string, unknown>;
export type User = Awaited<ReturnType<ReturnType<typeof createUsers>['user']>>;

type Options = {
  projectId: string;
  /** Signs the tokens in place of Google. */
  privateKey: CryptoKey;
  console: ReturnType<typeof createFirestoreConsole>;
  leaks: ReturnType<typeof watchLeaks>;
  /** The server that a call goes to unless it names another. */
  serverUrl: string;
};

export function createUsers({ projectId, privateKey, console, leaks, serverUrl }: Options) {
  /** The uids of `newUser`. */
  const uids: string[] = [];

  /** A Firebase ID token. `claims` replace the usual ones. */
  async function tokenFor(uid: string, claims: Claims = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({
      auth_time: now,
      email: `${uid}@example.com`,
      email_verified: true,
      firebase: { sign_in_provider: 'password' },
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'test' })
      .setSubject(uid)
      .setIssuer(`https://securetoken.google.com/${projectId}`)
      .setAudience(projectId)
      .setIssuedAt(now)
      .setExpirationTime(now + 3600)
      .sign(privateKey);
    leaks.secret(token);
    return token;
  }

  /** A user by uid. With `credits` the account is a balance that an admin typed into the console. */
  async function user(uid: string, credits?: number, claims: Claims = {}) {
    const token = await tokenFor(uid, claims);
    const path = `accounts/${uid}`;
    if (credits !== undefined) await console.setDocument(path, { balance: credits });

    const send = async (name: string, init: RequestInit, url = serverUrl): Promise<Reply> => {
      const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
      const response = await fetch(`${url}/${name}`, { ...init, headers });
      return { status: response.status, headers: response.headers, body: await response.json() };
    };
    const post = (name: string, body: unknown, headers: Record<string, string> = {}, url?: string) => {
      leaks.prompt((body as { prompt?: unknown } | null)?.prompt);
      const init = {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      };
      return send(name, init, url);
    };
    return {
      uid,
      token,
      /** The path of the account's document. */
      path,
      get: (name: string, url?: string) => send(name, {}, url),
      post,
      generate: (key: string, body: Record<string, unknown> = {}, url?: string) =>
        post(
          'generate',
          { prompt: 'A banana on the moon', tier: 'standard', ...body },
          { 'idempotency-key': key },
          url,
        ),
    };
  }

  /** A user with a new uid. The ledger has not seen the account yet. */
  function newUser(credits = 10, claims: Claims = {}): Promise<User> {
    const uid = `user-${uids.length}`;
    uids.push(uid);
    return user(uid, credits, claims);
  }

  /** A new user whose first call was made: the credits are an entry of the ledger. */
  async function newAccount(credits = 10): Promise<User> {
    const created = await newUser(credits);
    const { status, body } = await created.get('account');
    if (status !== 200 || body.account.balance !== credits)
      throw new Error(`The account was not opened: ${status} ${JSON.stringify(body)}`);
    return created;
  }

  return { uids, tokenFor, user, newUser, newAccount };
}
