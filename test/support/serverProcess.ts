/**
 * The functions as they are deployed: `node functions/main.ts` in its own process, with the database and the
 * fakes of a stack. A fake Auth emulator knows every uid.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { UnsecuredJWT } from 'jose';
import { inject } from 'vitest';
import { findFreePort, loopback } from '../../local/ports.ts';
import { listen } from './listen.ts';
import type { Stack } from './stack.ts';

/** Longest wait for a process to open its port, milliseconds. Other tests may keep two cores busy. */
const startMsMax = 20_000;

export type ServerProcess = {
  url: string;
  pid: number;
  logs: Record<string, unknown>[];
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  isEnded(): boolean;
};

/** Starts server processes. `close` kills those that still run. */
export async function startServerProcesses(stack: Stack) {
  const children: ChildProcess[] = [];
  const auth = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const isLookup = request.url?.endsWith(`/projects/${stack.projectId}/accounts:lookup`);
    const users = isLookup ? JSON.parse(body).localId.map((localId: string) => ({ localId })) : [];
    response.writeHead(isLookup ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ users }));
  });
  const authHost = await listen(auth);

  return {
    /** An unsigned token, as the Auth emulator makes it. */
    tokenFor(uid: string): string {
      const now = Math.floor(Date.now() / 1000);
      return new UnsecuredJWT({ auth_time: now, email: `${uid}@example.com`, email_verified: true })
        .setSubject(uid)
        .setIssuer(`https://securetoken.google.com/${stack.projectId}`)
        .setAudience(stack.projectId)
        .setIssuedAt(now)
        .setExpirationTime(now + 3600)
        .encode();
    },

    async start(
      env: Record<string, string> = {},
      main = 'functions/main.ts',
      cwd = process.cwd(),
    ): Promise<ServerProcess> {
      const port = await findFreePort();
      const child = spawn(process.execPath, [main], {
        cwd,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          PATH: process.env.PATH,
          METADATA_SERVER_DETECTION: 'none',
          GOOGLE_CLOUD_PROJECT: stack.projectId,
          FIRESTORE_EMULATOR_HOST: inject('firestoreHost'),
          FIREBASE_AUTH_EMULATOR_HOST: authHost,
          GEMINI_API_KEY: 'test-gemini-key',
          GOOGLE_GEMINI_BASE_URL: stack.gemini.url,
          CLOUDINARY_URL: stack.cloudinary.cloudinaryUrl,
          SIGNUP_CREDITS: '0',
          IMAGEGEN_FALLBACK_MODEL_IDS: '',
          RETRY_ATTEMPTS: '1',
          PORT: String(port),
          ...env,
        },
      });
      children.push(child);
      let hasEnded = false;
      const ended = once(child, 'exit').then(([code, signal]) => {
        hasEnded = true;
        return { code, signal };
      });
      const logs: Record<string, unknown>[] = [];
      const serving = new Promise<void>((resolve, reject) => {
        createInterface({ input: child.stdout }).on('line', (line) => {
          stack.leaks.line(line);
          logs.push(JSON.parse(line));
          if (logs.at(-1)?.message === 'Serving') resolve();
        });
        const fail = () => reject(new Error(`No server process within ${startMsMax} ms`));
        setTimeout(fail, startMsMax).unref();
        void ended.then(() => reject(new Error('The server process ended while starting')));
      });
      await serving;
      return {
        url: `http://${loopback}:${port}`,
        pid: child.pid as number,
        logs,
        signal: (name) => void child.kill(name),
        ended,
        isEnded: () => hasEnded,
      };
    },

    async close() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      auth.closeAllConnections();
      await new Promise((resolve) => auth.close(resolve));
    },
  };
}
