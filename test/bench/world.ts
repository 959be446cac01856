/** What all rows share: an emulator, a key server, the fakes of the upstreams, and the compared servers. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';
import { stripeEnv } from './purchases.ts';
import { startTokens } from './tokens.ts';
import type { Addresses, Mark } from './upstreams.ts';

/** Our functions as deployed, the tutorial's, the minimum (also with the Firestore client), and the framework's hello world. */
export type Kind = 'ours' | 'usual' | 'floor' | 'floorLibrary' | 'hello';

export type Server = { url: string; pid: number; stop: () => Promise<void> };
export type Upstreams = Addresses & { marks: () => Promise<Mark[]>; stop: () => void };
export type World = Awaited<ReturnType<typeof startWorld>>;

const here = import.meta.dirname;
const framework = createRequire(import.meta.url).resolve('@google-cloud/functions-framework');
const commandLine = join(framework, '..', 'main.js');

/** Starts it. */
export async function startWorld() {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-bench-'));
  const program = await findFirestoreProgram(process.env);
  const [port, functionsPort] = [await findFreePort(), await findFreePort()];
  const rules = resolve('firestore.rules');
  const emulator = startFirestore({ program, port, functionsPort, rules, seed: undefined, runDir });
  const firestoreHost = `${loopback}:${port}`;
  await waitForEmulator(emulator, firestoreHost, program);
  process.env.FIRESTORE_EMULATOR_HOST = firestoreHost;
  const tokens = await startTokens(runDir);
  const databases = new Map<string, Firestore>();
  const children = new Set<ChildProcess>();
  let users = 0;

  /** Each kind has its own project, because their documents differ. */
  const getProject = (kind: Kind) => `demo-bench-${kind.toLowerCase()}`;

  function getDatabase(kind: Kind): Firestore {
    const database = databases.get(kind) ?? new Firestore({ projectId: getProject(kind) });
    databases.set(kind, database);
    return database;
  }

  /** Starts the fakes with this latency and image size. */
  async function startUpstreams(latencyMs: number, imageBytes: number): Promise<Upstreams> {
    const child = fork(join(here, 'upstreams.ts'), [String(latencyMs), String(imageBytes)], { execArgv: [] });
    children.add(child);
    const [addresses] = (await once(child, 'message')) as [Addresses];
    return {
      ...addresses,
      async marks() {
        child.send('marks');
        return ((await once(child, 'message')) as [Mark[]])[0];
      },
      stop: () => void child.disconnect(),
    };
  }

  /** Starts one function of a kind, without waiting for it. */
  async function spawnServer(kind: Kind, target: string, upstreams?: Upstreams): Promise<Server> {
    const serverPort = await findFreePort();
    const projectId = getProject(kind);
    const child = spawn(process.execPath, createCommand(kind, target), {
      cwd: runDir,
      stdio: ['ignore', 'ignore', process.env.BENCH_STDERR ? 'inherit' : 'ignore'],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        PORT: String(serverPort),
        FUNCTION_TARGET: target,
        GOOGLE_CLOUD_PROJECT: projectId,
        ...(kind !== 'hello' && {
          METADATA_SERVER_DETECTION: 'none',
          FIRESTORE_EMULATOR_HOST: firestoreHost,
          NODE_EXTRA_CA_CERTS: tokens.caFile,
          NODE_OPTIONS: `--require ${join(here, 'redirect.cjs')}`,
          BENCH_KEYS_PORT: String(tokens.port),
          MAX_IN_FLIGHT_PER_USER: '64',
          MAX_PER_MINUTE_PER_USER: '10000',
        }),
        ...(target === 'stripeWebhook' && stripeEnv),
        ...(kind === 'usual' && {
          GCLOUD_PROJECT: projectId,
          FIREBASE_CONFIG: JSON.stringify({ projectId }),
        }),
        ...(upstreams && {
          GEMINI_API_KEY: 'bench',
          GOOGLE_GEMINI_BASE_URL: upstreams.geminiUrl,
          CLOUDINARY_URL: upstreams.cloudinaryUrl,
        }),
      },
    });
    children.add(child);
    const ended = once(child, 'exit').then(() => void children.delete(child));
    return {
      url: `http://${loopback}:${serverPort}/`,
      pid: child.pid ?? 0,
      async stop() {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  /** A new user of a kind with this many credits, and the token. */
  async function newUser(kind: Kind, credits: number): Promise<{ uid: string; token: string }> {
    users += 1;
    const uid = `user-${users}`;
    const now = new Date();
    const opened = { settled: credits, sequence: 0, createdAt: now, updatedAt: now, usedAt: now };
    const email = `${uid}@example.com`;
    await getDatabase(kind)
      .doc(`accounts/${uid}`)
      .set({ balance: credits, email, ...(kind === 'ours' && opened) });
    return { uid, token: await tokens.token(getProject(kind), uid) };
  }

  return {
    firestoreHost,
    getDatabase,
    getProject,
    startUpstreams,
    spawnServer,
    newUser,
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all([...databases.values()].map((database) => database.terminate()));
      tokens.close();
      await endChild(emulator, 2_000);
      rmSync(runDir, { recursive: true, force: true });
    },
  };
}

function createCommand(kind: Kind, target: string): string[] {
  if (kind === 'ours') return [resolve('dist/main.mjs')];
  if (kind === 'floor') return [join(here, 'floor.ts')];
  if (kind === 'floorLibrary') return [join(here, 'floor.ts'), 'library'];
  const source = target === 'stripeWebhook' ? join(kind, 'stripeWebhook.js') : kind;
  return [commandLine, `--source=${join(here, source)}`, `--target=${target}`];
}
