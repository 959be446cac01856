/** Processes: starting them so that they can be ended for certain, and recognising one by more than its number. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a command prints on both streams; empty when it cannot be run at all. */
export function getOutput(command: string, args: string[], timeoutMs = 10_000): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

/**
 * A process by its number and the time it started, because numbers are given again: `marker` is a part
 * of its command line that must still be there.
 */
export type Identity = { pid: number; started: string; marker: string };

/** The identity of a process that is alive now. */
export function getIdentity(pid: number, marker: string): Identity {
  return { pid, started: startTime(pid) ?? '', marker };
}

/** Whether that very process is still alive. */
export function isAlive({ pid, started, marker }: Identity): boolean {
  return started !== '' && startTime(pid) === started && commandLine(pid).includes(marker);
}

/** The command line of a process; empty when it is gone or a zombie. */
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
    // Field 22, counted after the name in parentheses, which may itself hold blanks and parentheses.
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
  /** For a person: "the Firestore emulator". */
  name: string;
  process: ChildProcess;
  identity: Identity;
  /** Its own group: a signal to it reaches what it started too. */
  ownGroup: boolean;
  /** Where its output goes, unless it goes to ours. */
  logFile?: string;
  /** Resolves, when it has ended, to how: "code 1", "SIGKILL". */
  ended: Promise<string>;
  isEnded: () => boolean;
};

/** `process` as a child that can be waited for and ended. */
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
 * Starts a process in a group of its own, so that Ctrl-C in the terminal does not reach it: the functions
 * still need the emulators while they refund. Its output goes to a file, which outlives this process.
 */
export function spawnInOwnGroup(
  name: string,
  command: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; logFile: string; marker: string },
): Child {
  const { cwd, env, logFile, marker } = options;
  const log = openSync(logFile, 'a');
  const started = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  return toChild(name, started, marker, { ownGroup: true, logFile });
}

/** Ends a child: asks with SIGTERM, and after `graceMs` does not ask any more. */
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

/** Sends a signal to a child, and to its whole group where that is its own. */
export function signalChild(child: Child, signal: NodeJS.Signals): void {
  const { pid } = child.identity;
  if (pid > 0 && !child.isEnded()) signalProcess(child.ownGroup ? -pid : pid, signal);
}

/** Sends a signal; a process that has just ended is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until `condition` holds; false when it does not within `timeoutMs`. */
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

/** What a child process has written to its log file. */
export const readLog = (child: Child) => (child.logFile ? readFileSync(child.logFile, 'utf8') : '');

/** The end of what an emulator wrote. */
export function readLogTail(child: Child): string {
  return readLog(child).trimEnd().split('\n').slice(-15).join('\n');
}
