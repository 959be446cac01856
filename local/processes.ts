/** Starts and ends child processes, and identifies a process by more than its pid. */
import { type ChildProcess, execFile, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The output of a command on both streams; empty if the command cannot run. */
export function getOutput(command: string, args: string[], timeoutMs = 10_000): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

/**
 * A process by its pid and start time, because the system reuses pids. `marker` is a part of its command line, which
 * must match too.
 */
export type Identity = { pid: number; started: string; marker: string };

/** The identity of a live process. */
export function getIdentity(pid: number, marker: string): Identity {
  return { pid, started: startTime(pid) ?? '', marker };
}

/** True if exactly this process is still alive. */
export function isAlive({ pid, started, marker }: Identity): boolean {
  return started !== '' && startTime(pid) === started && commandLine(pid).includes(marker);
}

/** The command line of a process; empty if the process has ended or is a zombie. */
export function commandLine(pid: number): string {
  if (process.platform !== 'linux') return ps(pid, 'command=');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function startTime(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart=') || undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22. Count after the name in parentheses, which may itself contain spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

/** A process that this one started. */
export type Child = {
  /** The name for messages, such as "the Firestore emulator". */
  name: string;
  process: ChildProcess;
  identity: Identity;
  /** True if it leads its own process group: a signal to the group also reaches the processes it started. */
  ownGroup: boolean;
  /** The file with its output; undefined if it writes to our output. */
  logFile?: string;
  /** Resolves when it has ended, to its exit code or signal: "code 1", "SIGKILL". */
  ended: Promise<string>;
  isEnded: () => boolean;
};

/** Wraps `process` as a child that `endChild` can end. */
export function toChild(
  name: string,
  process: ChildProcess,
  marker: string,
  more: { ownGroup: boolean; logFile?: string },
): Child {
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    const end = (how: string) => {
      hasEnded = true;
      resolve(how);
    };
    process.once('exit', (code, signal) => end(signal ?? `code ${code}`));
    process.once('error', (error) => end(error.message));
  });
  const identity = getIdentity(process.pid ?? -1, marker);
  return { name, process, identity, ended, isEnded: () => hasEnded, ...more };
}

/**
 * Starts a process in its own group, so that Ctrl-C in the terminal does not reach it: the functions still need the
 * emulators while they refund. Its output goes to a file, which remains after this process ends.
 */
export function spawnInOwnGroup(
  name: string,
  command: string,
  args: string[],
  options: {
    cwd: string;
    env: NodeJS.ProcessEnv;
    logFile: string;
    marker: string;
    /** Called for each message of a process that is a Node program. */
    onMessage?: (message: unknown) => void;
  },
): Child {
  const { cwd, env, logFile, marker, onMessage } = options;
  const log = openSync(logFile, 'a');
  const stdio: StdioOptions = ['ignore', log, log, ...(onMessage ? (['ipc'] as const) : [])];
  const started = spawn(command, args, { cwd, env, detached: true, stdio });
  if (onMessage) started.on('message', onMessage);
  closeSync(log);
  return toChild(name, started, marker, { ownGroup: true, logFile });
}

/** Ends a child with SIGTERM, and with SIGKILL after `graceMs`. */
export async function endChild(child: Child, graceMs: number): Promise<void> {
  if (child.isEnded()) return;
  signalChild(child, 'SIGTERM');
  const waiting = new AbortController();
  const timer = sleep(graceMs, 'late', { signal: waiting.signal }).catch(() => 'ended');
  const first = await Promise.race([child.ended, timer]);
  waiting.abort();
  if (first === 'late') signalChild(child, 'SIGKILL');
  await child.ended;
}

/** Sends a signal to a child, or to its whole group if it leads one. */
export function signalChild(child: Child, signal: NodeJS.Signals): void {
  const { pid } = child.identity;
  if (pid > 0 && !child.isEnded()) signalProcess(child.ownGroup ? -pid : pid, signal);
}

/** Sends a signal. Ignores a process that has already ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until `condition` is true. Returns false if it is not true within `timeoutMs`. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 50,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await sleep(everyMs);
  }
  return true;
}

/** The text that a child has written to its log file. */
export const readLog = (child: Child) => (child.logFile ? readFileSync(child.logFile, 'utf8') : '');

/** The last lines of a child's log. */
export function readLogTail(child: Child): string {
  return readLog(child).trimEnd().split('\n').slice(-15).join('\n');
}
