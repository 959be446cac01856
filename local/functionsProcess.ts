/** Starts, restarts and stops the process that serves the functions. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { functionsMarker } from './previousRun.ts';
import { type Child, endChild, toChild } from './processes.ts';

/** The two messages between this process and the functions' process. */
const openPortMessage = 'open the port';
export const portOpenMessage = 'the port is open';

/** How long a request that is on its way to the old process may take to arrive there, milliseconds. */
const arrivalMs = 50;
/** Longer than the 8 s in which the functions finish or refund their requests; milliseconds. */
const drainMs = 12_000;

/**
 * Starts the functions' process. It loads the code while the emulators start, and opens its port on `open`.
 */
export function startFunctions(options: {
  env: NodeJS.ProcessEnv;
  /** Called for each process, also after a restart. */
  onStart: (child: Child) => void;
  /** Called if a process ends unexpectedly; `how` is its exit code or signal. */
  onDeath: (child: Child, how: string) => void;
}) {
  const { env, onStart, onDeath } = options;
  /** Resolves when the current process serves, to false if it ends first. Pending while the process is replaced. */
  let isOpen: Promise<boolean>;
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
      // In this process's group, so that a SIGKILL to the group ends it too.
      { ownGroup: false },
    );
    // Sending to a process that has just died fails. Its death is reported below.
    started.process.on('error', () => {});
    const opened = Promise.withResolvers<boolean>();
    started.process.on('message', (message) => {
      if (message === portOpenMessage) opened.resolve(true);
    });
    isOpen = opened.promise;
    void started.ended.then((how) => {
      opened.resolve(false);
      if (isRestarting || hasEnded) return;
      isOpen = Promise.resolve(false);
      onDeath(started, how);
    });
    onStart(started);
    if (canOpen) started.process.send(openPortMessage);
    return started;
  }

  return {
    /** Opens the port of this process, and of each one that replaces it. Resolves when the port is open. */
    open(): Promise<boolean> {
      canOpen = true;
      if (child.process.connected) child.process.send(openPortMessage);
      return isOpen;
    },
    /** Drains and ends the process, then starts a new one. Resolves when its port is open, to false if it ends first. */
    async restart(): Promise<boolean> {
      const replaced = Promise.withResolvers<boolean>();
      isOpen = replaced.promise;
      isRestarting = true;
      await sleep(arrivalMs);
      await endChild(child, drainMs);
      isRestarting = false;
      if (!hasEnded) child = start();
      replaced.resolve(hasEnded ? false : isOpen);
      return isOpen;
    },
    /** Resolves when the process serves, to false if it does not run. */
    whenOpen: () => isOpen,
    /** Drains and ends the process. */
    async end(): Promise<void> {
      hasEnded = true;
      isOpen = Promise.resolve(false);
      await endChild(child, drainMs);
    },
    /** The current process. */
    child: () => child,
  };
}

export type Functions = ReturnType<typeof startFunctions>;
