/**
 * A studio for one test file: the real functions over real HTTP on the real Firestore emulator, with
 * wire-level stand-ins upstream. Users are RS256 tokens of a key pair of its own, so the production
 * way of verifying them is the one that runs.
 */
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { inject } from 'vitest';
import { functions } from '../../functions/index.ts';
import { startFakeCloudinary } from '../../local/fakes/cloudinary.ts';
import { startFakeGemini } from '../../local/fakes/gemini.ts';
import { createAuth } from '../../shared/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Receipt } from '../../shared/contract.ts';
import type { Overrides } from '../../shared/services.ts';
import { watchLeaks } from './leaks.ts';

export type Reply = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers as a client without types would.
  body: any;
};

let projects = 0;

/** Everything one test file needs; `close` ends it. `env` goes over the defaults below. */
export async function startStack(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const gemini = await startFakeGemini({ apiKey: 'test-gemini-key' });
  const cloudinary = await startFakeCloudinary({
    cloudName: 'test',
    apiKey: '12345',
    apiSecret: 'test-secret',
  });
  // The SDK reads this by itself when it is imported.
  process.env.CLOUDINARY_URL = cloudinary.cloudinaryUrl;
  const projectId = `demo-test-${process.pid}-${++projects}`;
  const keys = await generateKeyPair('RS256', { extractable: true });
  const keySet = createLocalJWKSet({
    keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'test', alg: 'RS256' }],
  });

  const environment = {
    GOOGLE_CLOUD_PROJECT: projectId,
    FIRESTORE_EMULATOR_HOST: inject('firestoreHost'),
    GEMINI_API_KEY: 'test-gemini-key',
    GOOGLE_GEMINI_BASE_URL: gemini.url,
    CLOUDINARY_URL: cloudinary.cloudinaryUrl,
    SIGNUP_CREDITS: '0',
    // One model and one call: a test that is about the chain says otherwise.
    IMAGEGEN_FALLBACK_MODEL_IDS: '',
    RETRY_ATTEMPTS: '1',
    PORT: '0',
    ...env,
  };

  const leaks = watchLeaks();
  leaks.secret('test-gemini-key', 'test-secret');

  /** Another server process's worth of the same studio: same database, nothing else shared. */
  async function startServer(more: Record<string, string> = {}, moreOverrides: Overrides = {}) {
    const { createFunctionsServer } = await import('../../shared/http/server.ts');
    const config = parseConfig({ ...environment, ...more });
    const auth = createAuth(config, { firebase: keySet, google: keySet });
    const studio = createFunctionsServer({
      functions,
      env: { ...environment, ...more },
      overrides: { auth, ...overrides, ...moreOverrides },
      writeLog(line) {
        leaks.line(line);
        logs.push(JSON.parse(line));
      },
    });
    leaks.answersOf(studio.server);
    await new Promise<void>((resolve) => studio.server.listen(0, '127.0.0.1', resolve));
    const { port } = studio.server.address() as AddressInfo;
    const close = async () => {
      studio.server.closeAllConnections();
      await studio.shutdown();
    };
    return { url: `http://127.0.0.1:${port}`, shutdown: studio.shutdown, close };
  }

  const logs: Record<string, unknown>[] = [];
  const server = await startServer();
  const database = (await import('../../shared/database/firestore.ts')).createDatabase(
    parseConfig(environment),
  );

  /** A token as Firebase would sign it; `claims` go over the usual ones. */
  async function tokenFor(uid: string, claims: Record<string, unknown> = {}): Promise<string> {
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
      .sign(keys.privateKey);
    leaks.secret(token);
    return token;
  }

  return {
    gemini,
    cloudinary,
    projectId,
    environment,
    database,
    logs,
    leaks,
    url: server.url,
    server,
    startServer,
    tokenFor,
    keys,

    async close() {
      await server.close();
      await Promise.all([gemini.close(), cloudinary.close(), database.close()]);
      // What no test of this file may make happen, whatever it is about.
      for (const { body } of gemini.requests) for (const text of textsOf(body)) leaks.prompt(text);
      leaks.verify();
    },

    /** A request as anybody could make it. */
    async fetch(path: string, init: RequestInit = {}, url = server.url): Promise<Reply> {
      const response = await fetch(`${url}/${path}`, init);
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
    },

    /** A user with so many credits, given as an admin gives them: a balance typed into the console. */
    async user(uid: string, credits?: number, claims: Record<string, unknown> = {}) {
      const token = await tokenFor(uid, claims);
      if (credits !== undefined)
        await setDocument(inject('firestoreHost'), projectId, `accounts/${uid}`, { balance: credits });
      const send = async (path: string, init: RequestInit, url = server.url): Promise<Reply> => {
        const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
        const response = await fetch(`${url}/${path}`, { ...init, headers });
        return { status: response.status, headers: response.headers, body: await response.json() };
      };
      const post = (path: string, body: unknown, headers: Record<string, string> = {}, url = server.url) => {
        leaks.prompt((body as { prompt?: unknown } | null)?.prompt);
        return send(
          path,
          {
            method: 'POST',
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json', ...headers },
          },
          url,
        );
      };
      return {
        uid,
        token,
        get: (path: string, url?: string) => send(path, {}, url),
        post,
        generate: (key: string, body: Record<string, unknown> = {}, url?: string) =>
          post(
            'generate',
            { prompt: 'A banana on the moon', tier: 'standard', ...body },
            { 'idempotency-key': key },
            url,
          ),
      };
    },

    /** What the console shows of a document, undefined where there is none. */
    async document(path: string): Promise<Record<string, unknown> | undefined> {
      return (await database.read([path])).documents[0]?.data;
    },

    /** Everything of an account, oldest entry first. */
    async ledger(uid: string) {
      const page = (collection: string, field: string) =>
        database.page({ collection, orderBy: [[field, 'asc']], limit: 10_000 });
      const [account, entries, generations] = await Promise.all([
        database.read([`accounts/${uid}`]),
        page(`accounts/${uid}/entries`, 'sequence'),
        page(`accounts/${uid}/generations`, 'createdAt'),
      ]);
      return {
        account: account.documents[0]?.data as Record<string, unknown>,
        entries: entries.documents.map(({ id, data }) => ({ id, ...data }) as StoredEntry),
        generations: generations.documents.map(({ id, data }) => ({ id, ...data }) as StoredGeneration),
      };
    },

    /** What an admin does in the console: sets fields of a document, whatever they held. */
    edit: (path: string, fields: Record<string, unknown>) =>
      setDocument(inject('firestoreHost'), projectId, path, fields, Object.keys(fields)),

    /** Deletes a document, as an admin does in the console. */
    erase: (path: string) => database.commit([{ delete: path }]),
  };
}

export type Stack = Awaited<ReturnType<typeof startStack>>;
export type StoredEntry = {
  id: string;
  sequence: number;
  type: string;
  amount: number;
  balance: number;
  reason?: string;
  actor?: string;
  generationId?: string;
};
export type StoredGeneration = {
  id: string;
  status: string;
  credits: number;
  cached: boolean;
  publicId: string;
  receipt: Receipt;
  deadline: Date;
  failure: { reason: string } | null;
};

/** The prompts in a request to Gemini: a better one is nobody's but the user's either. */
function textsOf(body: unknown): unknown[] {
  const { contents = [] } = (body ?? {}) as { contents?: { parts?: { text?: unknown }[] }[] };
  return contents.flatMap(({ parts = [] }) => parts.map(({ text }) => text));
}

/** Writes over the emulator's REST interface, past all rules: the console's own way. */
async function setDocument(
  host: string,
  project: string,
  path: string,
  fields: Record<string, unknown>,
  mask?: string[],
) {
  const query = mask ? `?${mask.map((field) => `updateMask.fieldPaths=${field}`).join('&')}` : '';
  const response = await fetch(
    `http://${host}/v1/projects/${project}/databases/(default)/documents/${path}${query}`,
    {
      method: 'PATCH',
      headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
      body: JSON.stringify({
        fields: Object.fromEntries(
          Object.entries(fields)
            .filter(([, v]) => v !== undefined)
            .map(([k, v]) => [k, restValue(v)]),
        ),
      }),
    },
  );
  if (!response.ok) throw new Error(`The emulator refused a write: ${await response.text()}`);
}

function restValue(value: unknown): object {
  if (typeof value === 'number')
    return Number.isInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  return { nullValue: null };
}
