/** TCP ports of this machine: which are free, and who holds one that is not. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandLine, getOutput } from './processes.ts';

/** The loopback address that everything local listens on: nothing of a local run is seen from outside. */
export const loopback = '127.0.0.1';

// Below the range that systems give to outgoing connections (32768 up on Linux, 49152 up elsewhere): a port
// from there could be taken by a client while the emulator it was meant for is still starting.
const firstFree = 20_000;
const lastFree = 32_000;
const attemptsMax = 100;

/** Whether a server could listen on the port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: loopback, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A port that nobody listens on. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = firstFree + Math.floor(Math.random() * (lastFree - firstFree));
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port among ${attemptsMax} from ${firstFree} to ${lastFree}`);
}

/** Who listens on a port. */
export type PortHolder = { pid: number; command: string };

/** The process that listens on the port; undefined where the system does not tell (another user's). */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  const pid = process.platform === 'linux' ? listenerInProc(port) : await listenerByLsof(port);
  return pid === undefined ? undefined : { pid, command: commandLine(pid) };
}

function listenerInProc(port: number): number | undefined {
  const sockets = listeningSockets(port);
  if (sockets.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const link of openFiles(pid)) if (sockets.has(link)) return Number(pid);
  }
  return undefined;
}

/** The links that /proc shows for sockets in state LISTEN (0A) on the port. */
function listeningSockets(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const links = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readOr(table).split('\n')) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && local?.endsWith(suffix)) links.add(`socket:[${inode}]`);
    }
  }
  return links;
}

function openFiles(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((fd) => linkOr(`${folder}/${fd}`));
  } catch {
    return []; // Another user's process, or one that has just ended.
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // No IPv6 on this machine.
  }
}

async function listenerByLsof(port: number): Promise<number | undefined> {
  const listed = await getOutput('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']);
  const pid = /^p(\d+)$/m.exec(listed)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
