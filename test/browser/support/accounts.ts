/** Users and accounts for tests, without the page: by the emulators' REST APIs and by calls of the functions. */
import { randomUUID } from 'node:crypto';
import type { Entry, GenerateInput, Generation, ReportRequest } from '../../../shared/contract.ts';

export type User = { uid: string; email: string; password: string };

/** A mail that the Auth emulator recorded instead of sending it. */
export type Mail = { email: string; requestType: 'VERIFY_EMAIL' | 'PASSWORD_RESET'; oobLink: string };

const ownerHeaders = { authorization: 'Bearer owner', 'content-type': 'application/json' };

export type Endpoints = { url: string; projectId: string; authHost: string; firestoreHost: string };

export function createAccounts({ url, projectId, authHost, firestoreHost }: Endpoints) {
  const identity = `http://${authHost}/identitytoolkit.googleapis.com/v1`;
  const documents = `http://${firestoreHost}/v1/projects/${projectId}/databases/(default)/documents`;
  let users = 0;

  /** Writes the account document like an admin in the Firestore console. Creates it if it does not exist. */
  async function editAccount(uid: string, fields: Record<string, number | boolean | string>): Promise<void> {
    const mask = Object.keys(fields).map((name) => `updateMask.fieldPaths=${name}`);
    await call(`${documents}/accounts/${uid}?${mask.join('&')}`, 'PATCH', {
      fields: Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, toFirestoreValue(value)]),
      ),
    });
  }

  /** Creates a user with this many credits; without `credits`, the user has no account yet. */
  async function newUser({ credits, verified = true }: { credits?: number; verified?: boolean } = {}) {
    users += 1;
    const user: User = { uid: `user-${users}`, email: `user-${users}@example.com`, password: 'a-password' };
    await call(`${identity}/projects/${projectId}/accounts`, 'POST', {
      localId: user.uid,
      email: user.email,
      password: user.password,
      emailVerified: verified,
    });
    if (credits !== undefined) await editAccount(user.uid, { balance: credits });
    return user;
  }

  /** Tokens are valid for an hour, far longer than a test file runs. */
  const tokens = new Map<string, Promise<string>>();

  async function newToken({ email, password }: User): Promise<string> {
    const body = { email, password, returnSecureToken: true };
    const answer = await call(`${identity}/accounts:signInWithPassword?key=local`, 'POST', body);
    return (answer as { idToken: string }).idToken;
  }

  function getToken(user: User): Promise<string> {
    const token = tokens.get(user.uid) ?? newToken(user);
    tokens.set(user.uid, token);
    return token;
  }

  /** Calls a function as the user: POST if there is a body, otherwise GET. */
  async function callAs<Answer>(user: User, path: string, body?: object, headers = {}): Promise<Answer> {
    const authorization = `Bearer ${await getToken(user)}`;
    const allHeaders = { 'content-type': 'application/json', authorization, ...headers };
    return (await call(`${url}/${path}`, body ? 'POST' : 'GET', body, allHeaders)) as Answer;
  }

  return {
    editAccount,
    newUser,
    /** Exists in every local run. */
    demoUser: { uid: 'demo-user', email: 'demo@example.com', password: 'nano-banana' } satisfies User,

    /** Generates an image without the page. */
    async generateFor(user: User, request: GenerateInput): Promise<Generation> {
      const key = { 'idempotency-key': randomUUID() };
      return (await callAs<{ generation: Generation }>(user, 'generate', request, key)).generation;
    },
    /** Generates an image and makes it public. @returns the token of its page */
    async shareImageOf(user: User, request: GenerateInput): Promise<string> {
      const { id } = await this.generateFor(user, request);
      const { generation } = await callAs<{ generation: Generation }>(user, 'share', { id, shared: true });
      return generation.shareUrl?.split('/').at(-1) ?? '';
    },
    /** Reports a public image, as anyone can. */
    report: (request: ReportRequest) =>
      call(`${url}/report`, 'POST', request, { 'content-type': 'application/json' }),
    /** The newest 100 images. */
    listImages: async (user: User) =>
      (await callAs<{ generations: Generation[] }>(user, 'gallery?pageSize=100')).generations,
    /** The newest 100 ledger entries. */
    listEntries: async (user: User) =>
      (await callAs<{ entries: Entry[] }>(user, 'ledger?pageSize=100')).entries,

    /** The latest mail of this kind to the address, if any. */
    async findMail(address: string, kind: Mail['requestType']): Promise<Mail | undefined> {
      const mails = (await call(`http://${authHost}/emulator/v1/projects/${projectId}/oobCodes`, 'GET')) as {
        oobCodes: Mail[];
      };
      return mails.oobCodes.findLast(({ email, requestType }) => email === address && requestType === kind);
    },
  };
}

export type Accounts = ReturnType<typeof createAccounts>;

function toFirestoreValue(value: number | boolean | string): object {
  if (typeof value === 'number') return { integerValue: String(value) };
  return typeof value === 'boolean' ? { booleanValue: value } : { stringValue: value };
}

/** @throws on an error status, because a test's setup must work */
async function call(
  url: string,
  method: string,
  body?: object,
  headers: Record<string, string> = ownerHeaders,
): Promise<unknown> {
  const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname} answered ${answer.status}: ${text}`);
  return text === '' ? {} : JSON.parse(text);
}
