/**
 * The stack of one test file: the real functions over real HTTP on the real Firestore emulator, with
 * wire-level fakes of Gemini and Cloudinary. Users have RS256 tokens of the stack's own key pair, so
 * production's verification runs.
 */
import { createLocalJWKSet, exportJWK, generateKeyPair } from 'jose';
import { inject } from 'vitest';
import { functions } from '../../functions/index.ts';
import { startFakeCloudinary } from '../../local/fakes/cloudinary.ts';
import { startFakeGemini } from '../../local/fakes/gemini.ts';
import { createAuth } from '../../shared/auth/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Receipt } from '../../shared/contract.ts';
import { createLog } from '../../shared/core/log.ts';
import { imageBytesMax } from '../../shared/images/imageFormat.ts';
import type { Overrides } from '../../shared/services.ts';
import { createFirestoreConsole } from './firestoreConsole.ts';
import { watchLeaks } from './leaks.ts';
import { listen } from './listen.ts';
import type { Reply } from './replies.ts';
import { createUsers } from './users.ts';

export type Server = { url: string; shutdown: () => Promise<void>; close: () => Promise<void> };

let projects = 0;

/** Starts everything that one test file needs; `close` ends it. `env` replaces the defaults below. */
export async function startStack(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const firestoreHost = inject('firestoreHost');
  if (firestoreHost === undefined) {
    throw new Error('A test of the stack needs the project `emulator`: see test/README.md.');
  }
  const gemini = await startFakeGemini({ apiKey: 'test-gemini-key' });
  const cloudinary = await startFakeCloudinary({
    cloudName: 'test',
    apiKey: '12345',
    apiSecret: 'test-secret',
    uploadBytesMax: imageBytesMax,
  });
  // Cloudinary's SDK reads this variable when it is imported.
  process.env.CLOUDINARY_URL = cloudinary.cloudinaryUrl;
  const projectId = `demo-test-${process.pid}-${++projects}`;
  const keys = await generateKeyPair('RS256', { extractable: true });
  const keySet = createLocalJWKSet({
    keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'test', alg: 'RS256' }],
  });

  const environment = {
    GOOGLE_CLOUD_PROJECT: projectId,
    FIRESTORE_EMULATOR_HOST: firestoreHost,
    GEMINI_API_KEY: 'test-gemini-key',
    GOOGLE_GEMINI_BASE_URL: gemini.url,
    CLOUDINARY_URL: cloudinary.cloudinaryUrl,
    SIGNUP_CREDITS: '0',
    // One model and one call. Tests of the fallback and of retries set their own.
    IMAGEGEN_FALLBACK_MODEL_IDS: '',
    RETRY_ATTEMPTS: '1',
    PORT: '0',
    ...env,
  };

  const leaks = watchLeaks();
  leaks.secret('test-gemini-key', 'test-secret');
  const logs: Record<string, unknown>[] = [];
  const servers: Server[] = [];

  function writeLog(line: string): void {
    leaks.line(line);
    logs.push(JSON.parse(line));
  }

  /** Starts another server process's worth of functions: the same database, nothing else shared. */
  async function startServer(
    moreEnv: Record<string, string> = {},
    moreOverrides: Overrides = {},
  ): Promise<Server> {
    const { createFunctionsServer } = await import('../../shared/http/server.ts');
    const config = parseConfig({ ...environment, ...moreEnv });
    const auth = createAuth(config, createLog(writeLog), { firebase: keySet, google: keySet });
    const { server, shutdown } = createFunctionsServer({
      functions,
      env: { ...environment, ...moreEnv },
      overrides: { auth, ...overrides, ...moreOverrides },
      writeLog,
    });
    leaks.watchServer(server);
    const url = `http://${await listen(server)}`;
    let closing: Promise<void> | undefined;
    const close = () => {
      server.closeAllConnections();
      closing ??= shutdown();
      return closing;
    };
    const started = { url, shutdown, close };
    servers.push(started);
    return started;
  }

  const server = await startServer();
  const database = (await import('../../shared/database/firestore.ts')).createDatabase(
    parseConfig(environment),
  );
  const console = createFirestoreConsole(firestoreHost, projectId);
  const users = createUsers({
    projectId,
    privateKey: keys.privateKey,
    console,
    leaks,
    serverUrl: server.url,
  });

  return {
    ...users,
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
    keys,

    /** Ends every server of the stack, then checks that no reply and no log line leaked anything. */
    async close() {
      await Promise.all(servers.map((each) => each.close()));
      await Promise.all([gemini.close(), cloudinary.close(), database.close()]);
      for (const { body } of gemini.requests) for (const text of getPrompts(body)) leaks.prompt(text);
      leaks.verify();
    },

    /** A request as anyone can make it. */
    async fetch(path: string, init: RequestInit = {}, url = server.url): Promise<Reply> {
      const response = await fetch(`${url}/${path}`, init);
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        // Only a page is not JSON.
        body: text.startsWith('<') ? text : text === '' ? undefined : JSON.parse(text),
      };
    },

    /** The fields of a document, or undefined if it does not exist. */
    async document(path: string): Promise<Record<string, unknown> | undefined> {
      return (await database.read([path])).documents[0]?.data;
    },

    /** An account with its entries and generations, oldest first. */
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

    /** Sets fields of a document, as an admin does in the console. */
    edit: console.setFields,

    /** Deletes a document, as an admin does in the console. */
    erase: (path: string) => database.commit([{ delete: path }]),

    /** Deletes every document. */
    clear: console.clear,
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

/** The prompts of a request to Gemini, the enhanced ones too: all of them are private. */
function getPrompts(body: unknown): unknown[] {
  const { contents = [] } = (body ?? {}) as { contents?: { parts?: { text?: unknown }[] }[] };
  return contents.flatMap(({ parts = [] }) => parts.map(({ text }) => text));
}
