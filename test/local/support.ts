/** Runs `npm start` for real: spawned, watched and signalled from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { type Identity, isAlive, signalProcess, waitUntil } from '../../local/processes.ts';

/** Far more than a start takes: other tests have the processors at the same time. */
export const startMsMax = 90_000;

/** What a start reads from the environment; whatever the tests themselves run under is kept away from it. */
const ours =
  /^(PORT|LOCAL_DATA_DIR|GOOGLE_|GEMINI_|CLOUDINARY_|FIREBASE_|FIRESTORE_|IMAGEGEN_|K_|FUNCTION_|NODE_ENV|VITEST)/;

export type Start = {
  pid: number;
  process: ChildProcess;
  /** Everything it said so far, on both streams. */
  said: () => string;
  /** Resolves to its exit code when it has ended and its output is complete. */
  exit: Promise<number | null>;
};

/** A temporary folder of a test file, with the starts in it: `end` leaves nothing of either. */
export function createLocalRuns() {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-local-test-'));
  const starts: Start[] = [];

  function start(env: Record<string, string>, { root = resolve('.'), args = [] as string[] } = {}): Start {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    // In a group of its own, as a shell starts it, so that the group can be signalled as Ctrl-C does.
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

  /** What the run on the port has noted down for the next one. */
  function record(port: number): { run: Identity; children: Identity[] } | undefined {
    const file = join(folder, `nano-banana-studio-${userInfo().uid}`, `${port}.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  }

  return {
    folder,
    start,
    record,
    /** Every process of the run on the port. */
    processes(port: number): Identity[] {
      const { run, children } = record(port) ?? {};
      return [...(run ? [run] : []), ...(children ?? [])];
    },
    /** Folders of runs that have not been removed. */
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

/** Waits for the port's first answer; fails at once, with what was said, when the start has ended. */
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

/** Waits until none of the processes is left; gives those that are. */
export async function waitUntilGone(processes: Identity[], timeoutMs = 10_000): Promise<Identity[]> {
  await waitUntil(() => !processes.some(isAlive), timeoutMs);
  return processes.filter(isAlive);
}

/** An Auth emulator that some environment names, as far as a start asks it anything. */
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

/** The fields of an account's document, as Firestore's REST interface writes them. */
export async function accountFields(firestoreHost: string, projectId: string, uid: string) {
  const response = await fetch(accountUrl(firestoreHost, projectId, uid), { headers: ownerHeaders });
  return ((await response.json()) as { fields?: unknown }).fields;
}

/** What an admin does in the console. */
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

/** Signs in (or up) at the Auth emulator; gives the claims of the token. */
export async function getClaims(
  action: 'signInWithPassword' | 'signUp',
  authHost: string,
  email: string,
  password: string,
): Promise<Record<string, unknown>> {
  const url = `http://${authHost}/identitytoolkit.googleapis.com/v1/accounts:${action}?key=local`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, returnSecureToken: true }),
  });
  const { idToken } = (await response.json()) as { idToken?: string };
  if (!idToken) throw new Error(`${email} cannot sign in: ${response.status}`);
  return JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString());
}
