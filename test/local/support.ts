/** Runs `npm start` as a real process, and reads its output and signals it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { type Identity, isAlive, signalProcess, waitUntil } from '../../local/processes.ts';

/** Far longer than a start takes, because other tests use the processors at the same time; milliseconds. */
export const startMsMax = 90_000;

/** The variables that a start reads. The tests do not pass on their own values. */
const ours =
  /^(PORT|PUBLIC_URL|LOCAL_DATA_DIR|STRIPE_|CREDIT_|GOOGLE_|GEMINI_|CLOUDINARY_|FIREBASE_|FIRESTORE_|IMAGEGEN_|CODESPACE_|K_|FUNCTION_|NODE_ENV|VITEST)/;

export type Start = {
  pid: number;
  process: ChildProcess;
  /** Its output so far, on both streams. */
  said: () => string;
  /** Resolves to its exit code, once it has ended and its output is complete. */
  exit: Promise<number | null>;
};

/** Starts runs in a temporary folder. `end` ends the runs and removes the folder. */
export function createLocalRuns() {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-local-test-'));
  const starts: Start[] = [];

  function start(env: Record<string, string>, { root = resolve('.'), args = [] as string[] } = {}): Start {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    // In its own process group, as a shell starts it, so that a test can signal the group as Ctrl-C does.
    const child = spawn(process.execPath, [join(root, 'local/start.ts'), ...args], {
      cwd: root,
      env: { ...inherited, TMPDIR: folder, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const started: Start = {
      pid: child.pid ?? -1,
      process: child,
      said: () => said,
      exit: new Promise((done) => child.once('close', done)),
    };
    starts.push(started);
    return started;
  }

  /** Runs `npm run purchases` for the run on the port. @returns its exit code and output */
  async function purchases(port: number, ...args: string[]): Promise<{ code: number; output: string }> {
    const env = { ...process.env, TMPDIR: folder, PORT: String(port) };
    const { promise, resolve: done } = Promise.withResolvers<{ code: number; output: string }>();
    execFile('npm', ['run', '-s', 'purchases', '--', ...args], { env }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
    return promise;
  }

  /** The record of the run on the port, for the next run. */
  function record(port: number): { run: Identity; children: Identity[]; stripe?: string } | undefined {
    const file = join(folder, `nano-banana-studio-${userInfo().uid}`, `${port}.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  }

  return {
    folder,
    start,
    purchases,
    record,
    /** All processes of the run on the port. */
    processes(port: number): Identity[] {
      const { run, children } = record(port) ?? {};
      return [...(run ? [run] : []), ...(children ?? [])];
    },
    /** The folders of runs that still exist. */
    runFolders: () => readdirSync(folder).filter((name) => name.startsWith('nano-banana-run-')),
    async end(): Promise<void> {
      for (const { pid, process: child } of starts) {
        if (child.exitCode === null && child.signalCode === null) signalProcess(pid, 'SIGTERM');
      }
      await Promise.all(starts.map(({ exit }) => exit));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the first answer on the port. Fails at once, with the output, if the start has ended. */
export async function waitUntilUp(start: Start, port: number): Promise<void> {
  const up = async () => {
    if (start.process.exitCode !== null) throw new Error(`The start ended:\n${start.said()}`);
    try {
      return (await fetch(`http://127.0.0.1:${port}/health`)).ok && start.said().includes('Ctrl-C');
    } catch {
      return false;
    }
  };
  if (!(await waitUntil(up, startMsMax))) throw new Error(`No answer in ${startMsMax} ms:\n${start.said()}`);
}

/** Waits until all processes have ended. @returns the processes that have not. */
export async function waitUntilGone(processes: Identity[], timeoutMs = 10_000): Promise<Identity[]> {
  await waitUntil(() => !processes.some(isAlive), timeoutMs);
  return processes.filter(isAlive);
}

/** A fake Auth emulator, for the calls that a start makes. */
export async function startFakeAuth() {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

const ownerHeaders = { authorization: 'Bearer owner', 'content-type': 'application/json' };

/** The fields of an account's document, in the form of Firestore's REST API. */
export async function accountFields(firestoreHost: string, projectId: string, uid: string) {
  const response = await fetch(accountUrl(firestoreHost, projectId, uid), { headers: ownerHeaders });
  return ((await response.json()) as { fields?: unknown }).fields;
}

/** Changes a balance as an admin does in the console. */
export async function setBalance(
  firestoreHost: string,
  projectId: string,
  uid: string,
  balance: number,
): Promise<void> {
  await fetch(`${accountUrl(firestoreHost, projectId, uid)}?updateMask.fieldPaths=balance`, {
    method: 'PATCH',
    headers: ownerHeaders,
    body: JSON.stringify({ fields: { balance: { integerValue: String(balance) } } }),
  });
}

const accountUrl = (firestoreHost: string, projectId: string, uid: string) =>
  `http://${firestoreHost}/v1/projects/${projectId}/databases/(default)/documents/accounts/${uid}`;

/** Signs in or up at the Auth emulator. @returns the claims of the token. */
export async function getClaims(
  action: 'signInWithPassword' | 'signUp',
  authHost: string,
  email: string,
  password: string,
): Promise<Record<string, unknown>> {
  const token = await getToken(authHost, email, password, action);
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** Signs in or up at the Auth emulator. @returns the ID token. */
export async function getToken(
  authHost: string,
  email: string,
  password: string,
  action: 'signInWithPassword' | 'signUp' = 'signInWithPassword',
): Promise<string> {
  const url = `http://${authHost}/identitytoolkit.googleapis.com/v1/accounts:${action}?key=local`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, returnSecureToken: true }),
  });
  const { idToken } = (await response.json()) as { idToken?: string };
  if (!idToken) throw new Error(`${email} cannot sign in: ${response.status}`);
  return idToken;
}
