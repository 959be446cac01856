/**
 * The ledger under load: 200 users with 5 generations each, 20 % failing upstream calls, two processes, and a
 * sweep every second. Prints p50, p99 and the throughput, and every account that does not add up.
 *
 *   npm run bench -- load --users 200 --generations 5 --faults 0.2 --seed 1
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { UnsecuredJWT } from 'jose';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';
import { squarePng } from '../support/pictures.ts';
import { startFakes } from './fakes.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '200' },
    generations: { type: 'string', default: '5' },
    faults: { type: 'string', default: '0.2' },
    seed: { type: 'string', default: '1' },
  },
});
const users = Number(values.users);
const generationsPerUser = Number(values.generations);
const faultShare = Number(values.faults);
const creditsEach = 1_000;
const projectId = 'demo-bench-load';
const imageMs = 200;

/** Mulberry32: small, fast, and good enough here. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
const random = createRandom(Number(values.seed));

const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-bench-'));
const program = await findFirestoreProgram(process.env);
const firestoreHost = `${loopback}:${await findFreePort()}`;
const emulator = startFirestore({
  program,
  port: Number(firestoreHost.split(':')[1]),
  functionsPort: await findFreePort(),
  rules: resolve('firestore.rules'),
  seed: undefined,
  runDir,
});
await waitForEmulator(emulator, firestoreHost, program);

const { gemini, cloudinary } = await startFakes(squarePng, imageMs);
const auth = createServer((request, response) => {
  request.resume().on('end', () => response.end(JSON.stringify({ users: [{}] })));
});
await new Promise<void>((done) => auth.listen(0, loopback, done));

const env = {
  PATH: process.env.PATH,
  METADATA_SERVER_DETECTION: 'none',
  GOOGLE_CLOUD_PROJECT: projectId,
  FIRESTORE_EMULATOR_HOST: firestoreHost,
  FIREBASE_AUTH_EMULATOR_HOST: `${loopback}:${(auth.address() as AddressInfo).port}`,
  GEMINI_API_KEY: 'bench',
  GOOGLE_GEMINI_BASE_URL: gemini.url,
  CLOUDINARY_URL: cloudinary.cloudinaryUrl,
  MAX_IN_FLIGHT_PER_USER: '10',
};
process.env.FIRESTORE_EMULATOR_HOST = firestoreHost;
process.env.METADATA_SERVER_DETECTION = 'none';

async function startProcess(): Promise<{ child: ChildProcess; url: string }> {
  const port = await findFreePort();
  const child = spawn(process.execPath, ['functions/main.ts'], {
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((done) => lines.on('line', (line) => line.includes('"Serving"') && done()));
  return { child, url: `http://${loopback}:${port}` };
}
const servers = await Promise.all([startProcess(), startProcess()]);
const getServerUrl = (i: number) => (servers[i % servers.length] as { url: string }).url;

/** A token as the Auth emulator makes it. */
function createToken(uid: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { auth_time: now, email: `${uid}@example.com`, email_verified: true };
  const issuer = `https://securetoken.google.com/${projectId}`;
  const token = new UnsecuredJWT(claims).setSubject(uid).setIssuer(issuer).setAudience(projectId);
  return token
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .encode();
}

const post = (url: string, token: string, body: unknown, key?: string) =>
  fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(key && { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });

const getUid = (i: number) => `user-${i}`;
for (let i = 0; i < users; i++) {
  const headers = { authorization: `Bearer ${createToken(getUid(i))}` };
  await (await fetch(`${getServerUrl(i)}/account`, { headers })).arrayBuffer();
  await post(
    `${getServerUrl(i)}/grant`,
    'owner',
    { uid: getUid(i), amount: creditsEach, reason: 'bench' },
    getUid(i),
  );
}

/** Before each request, randomly scripts a fault of the next upstream call. */
function drawFault(): void {
  if (random() >= faultShare) return;
  if (random() < 0.5) gemini.script(random() < 0.5 ? geminiFault.internal() : geminiFault.reset());
  else cloudinary.script(random() < 0.5 ? cloudinaryFault.error(500) : cloudinaryFault.storedThenReset());
}

let isRunning = true;
let sweeps = 0;
const sweepLoop = (async () => {
  while (isRunning) {
    await post(`${getServerUrl(sweeps)}/sweepHolds`, 'owner', {});
    sweeps += 1;
    await sleep(1_000);
  }
})();

const durations: number[] = [];
const outcomes = new Map<string, number>();
const startedAt = performance.now();
await Promise.all(
  Array.from({ length: users }, async (_, i) => {
    const token = createToken(getUid(i));
    for (let n = 0; n < generationsPerUser; n++) {
      drawFault();
      const began = performance.now();
      const response = await post(
        `${getServerUrl(i + n)}/generate`,
        token,
        { prompt: `No. ${n}`, tier: 'standard' },
        `k${n}`,
      );
      const body = (await response.json()) as { error?: { details: { reason: string }[] } };
      durations.push(performance.now() - began);
      const outcome = body.error?.details[0]?.reason ?? 'succeeded';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  }),
);
const seconds = (performance.now() - startedAt) / 1000;
isRunning = false;
await sweepLoop;
await post(`${getServerUrl(0)}/sweepHolds`, 'owner', {});

const violations: string[] = [];
let pageToken = '';
let checked = 0;
let totalBalance = 0;
do {
  const query = new URLSearchParams({ pageSize: '100', ...(pageToken && { pageToken }) });
  const response = await fetch(`${getServerUrl(0)}/audit?${query}`, {
    headers: { authorization: 'Bearer owner' },
  });
  const page = (await response.json()) as {
    accounts: { uid: string; balance: number; ok: boolean; differences: string[] }[];
    nextPageToken?: string;
  };
  for (const { uid, balance, ok, differences } of page.accounts) {
    checked += 1;
    totalBalance += balance;
    if (!ok) violations.push(`${uid}: ${differences.join('; ')}`);
  }
  pageToken = page.nextPageToken ?? '';
} while (pageToken !== '');

const succeeded = outcomes.get('succeeded') ?? 0;
const signup = 10;
const expected = users * (creditsEach + signup) - succeeded;
if (checked !== users) violations.push(`${checked} accounts of ${users} were audited`);
if (totalBalance !== expected) violations.push(`balances sum to ${totalBalance}, not ${expected}`);

durations.sort((a, b) => a - b);
const percentile = (share: number) => Math.round(durations[Math.floor(share * (durations.length - 1))] ?? 0);
process.stdout.write(`seed ${values.seed}: ${users} users x ${generationsPerUser}, ${faultShare * 100} % faults, ${servers.length} processes, ${sweeps} concurrent sweeps
outcomes: ${[...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ')}
p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms (of which ${imageMs} ms for the image), ${(durations.length / seconds).toFixed(1)} generations/s
accounts audited: ${checked}; violations: ${violations.length}
${violations.join('\n')}\n`);

for (const { child } of servers) child.kill('SIGTERM');
auth.closeAllConnections();
auth.close();
await Promise.all([gemini.close(), cloudinary.close(), endChild(emulator, 2_000)]);
rmSync(runDir, { recursive: true, force: true });
process.exit(violations.length === 0 ? 0 : 1);
