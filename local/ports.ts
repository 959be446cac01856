/** TCP ports of this machine: finds free ones, and the process that listens on a port. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandLine, getOutput } from './processes.ts';

/** Every server of a local run listens on the loopback address, so that other machines cannot reach it. */
export const loopback = '127.0.0.1';
/** The port of a local run without PORT. */
export const portDefault = 8080;

// Below the range of outgoing connections (from 32768 on Linux, from 49152 elsewhere): a client could take a port in
// that range while the emulator for it is still starting.
const firstFree = 20_000;
const lastFree = 32_000;
const attemptsMax = 100;

/** True if a server can listen on the port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: loopback, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * Reserves a port until this process ends, so that no other one finds it while the server for it is still starting. Only Linux
 * has sockets with a name and no file; elsewhere nothing is reserved.
 */
function reservePort(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true);
  return new Promise((resolve) => {
    const reservation = createServer().unref();
    reservation.once('error', () => resolve(false));
    reservation.listen({ path: `\0nano-banana-studio/port/${port}`, exclusive: true }, () => resolve(true));
  });
}

/** Finds a port on which no process listens. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = firstFree + Math.floor(Math.random() * (lastFree - firstFree));
    if ((await reservePort(port)) && (await isPortFree(port))) return port;
  }
  throw new Error(`No free port among ${attemptsMax} from ${firstFree} to ${lastFree}`);
}

/** A process that listens on a port. */
export type PortHolder = { pid: number; command: string };

/** The process that listens on the port; undefined if the system hides it (another user's process). */
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

/** The sockets in state LISTEN (0A) on the port, as the links in /proc name them. */
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
    return []; // The process belongs to another user, or has just ended.
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
    return ''; // This machine has no IPv6.
  }
}

async function listenerByLsof(port: number): Promise<number | undefined> {
  const lsofOutput = await getOutput('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']);
  const pid = /^p(\d+)$/m.exec(lsofOutput)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
