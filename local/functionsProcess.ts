/** The parent's side of the process that serves the functions. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { functionsMarker } from './previousRun.ts';
import { type Child, endChild, toChild } from './processes.ts';

/** What the two say to each other. */
const openPortMessage = 'open the port';
export const portOpenMessage = 'the port is open';

/** The functions get 8 s to finish or refund what they are at; this is a little more, milliseconds. */
const drainMs = 12_000;

/**
 * Starts the functions' process. It loads while the emulators are starting, and opens its port when it is
 * asked to.
 */
export function startFunctions(options: {
  env: NodeJS.ProcessEnv;
  /** Called for each process, a restarted one too. */
  onStart: (child: Child) => void;
  /** Called when one ends that nobody asked to. */
  onDeath: (child: Child, how: string) => void;
}) {
  const { env, onStart, onDeath } = options;
  const opened = Promise.withResolvers<void>();
  let canOpen = false;
  let isRestarting = false;
  let hasEnded = false;
  let child = start();

  function start(): Child {
    const script = join(import.meta.dirname, functionsMarker);
    const started = toChild(
      'the functions',
      spawn(process.execPath, [script], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
      functionsMarker,
      // In this process's group, so that what kills the group outright kills it too.
      { ownGroup: false },
    );
    // A process that has just died cannot be told anything; that it died is reported below.
    started.process.on('error', () => {});
    started.process.on('message', (message) => {
      if (message === portOpenMessage) opened.resolve();
    });
    void started.ended.then((how) => {
      if (!isRestarting && !hasEnded) onDeath(started, how);
    });
    onStart(started);
    if (canOpen) started.process.send(openPortMessage);
    return started;
  }

  return {
    /** Asks for the port to be opened, of this process and of those that replace it; resolves when it is. */
    open(): Promise<void> {
      canOpen = true;
      if (child.process.connected) child.process.send(openPortMessage);
      return opened.promise;
    },
    /** Drains and ends the process, and starts another in its place. */
    async restart(): Promise<void> {
      isRestarting = true;
      await endChild(child, drainMs);
      isRestarting = false;
      if (!hasEnded) child = start();
    },
    /** Drains and ends the process. */
    async end(): Promise<void> {
      hasEnded = true;
      await endChild(child, drainMs);
    },
    /** The process there is now. */
    child: () => child,
  };
}

export type Functions = ReturnType<typeof startFunctions>;
