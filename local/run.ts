/** One local run: everything it has started, and the one order in which that ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from '../tools/say.ts';
import { type SaveOptions, save } from './data.ts';
import type { Functions } from './functionsProcess.ts';
import { createRunRecorder, type RunRecorder } from './previousRun.ts';
import { type Child, endChild, readLogTail, signalChild } from './processes.ts';

/** An emulator has nothing to finish any more when it is asked to end. */
const emulatorGraceMs = 1_500;
/** How often data is saved meanwhile, for a run that is killed outright. */
const saveEveryMs = 30_000;
/** Signals to a group of processes come twice; a later one is a person who will not wait. */
const sameSignalMs = 1_000;

/** A run with nothing started yet. */
export function createRun() {
  const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-run-'));
  const children: Child[] = [];
  let recorder: RunRecorder | undefined;
  let functions: Functions | undefined;
  let saveOptions: SaveOptions | undefined;
  let lastSave = Promise.resolve();
  let endingSince: number | undefined;

  const saveNow = () => {
    const options = saveOptions;
    // One after the other: a save that is under way must not overwrite a later one.
    lastSave = lastSave.catch(() => {}).then(() => (options ? save(options) : undefined));
    return lastSave;
  };

  async function endAll(): Promise<void> {
    await functions?.end();
    try {
      await saveNow();
    } finally {
      await Promise.all(children.map((child) => endChild(child, emulatorGraceMs)));
      recorder?.remove();
      rmSync(runDir, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Ends everything, the emulators last, and this process with `code`. */
  function end(code: number): void {
    if (endingSince !== undefined) return;
    endingSince = performance.now();
    endAll().then(
      () => process.exit(code),
      (error: unknown) => {
        process.stderr.write(`Not everything ended as it should: ${error}\n`);
        process.exit(1);
      },
    );
  }

  function reportDeath(child: Child, how: string): void {
    if (endingSince !== undefined) return;
    const words = child.logFile ? ` The end of its log:\n${readLogTail(child)}` : '';
    process.stderr.write(`Ending: ${child.name} ended unexpectedly (${how}).${words}\n`);
    end(1);
  }

  function assertNotEnding(): void {
    if (endingSince !== undefined) throw new Error('The run is ending');
  }

  return {
    runDir,
    end,
    reportDeath,
    isEnding: () => endingSince !== undefined,

    /** What a signal does: the first ends the run in order, a second one a while later at once. */
    onSignal(): void {
      if (endingSince === undefined) {
        say('Ending …');
        end(0);
      } else if (performance.now() - endingSince > sameSignalMs) {
        if (functions) signalChild(functions.child(), 'SIGKILL');
        for (const child of children) signalChild(child, 'SIGKILL');
      }
    },

    /** From here on the run is known to the next one on its port. */
    record(port: number, dataDir: string | undefined): void {
      recorder = createRunRecorder(port, runDir, dataDir);
    },

    /** Starts an emulator or the like, which ends with the run. */
    start(spawn: () => Child): Child {
      assertNotEnding();
      const child = spawn();
      children.push(child);
      recorder?.addChild(child.identity);
      return child;
    },
    /** From here on the run ends when the child does. */
    guard(child: Child): void {
      void child.ended.then((how) => reportDeath(child, how));
    },
    /** Starts the functions, which end before everything else. */
    startFunctions(start: (onStart: (child: Child) => void) => Functions): Functions {
      assertNotEnding();
      functions = start((child) => recorder?.addChild(child.identity));
      return functions;
    },

    /** The emulators' data is loaded: it is saved at the end from now on, and every now and then. */
    enableSaving(options: SaveOptions): void {
      saveOptions = options;
      recorder?.enableSaving(options);
      setInterval(() => void saveNow().catch(() => {}), saveEveryMs).unref();
    },
  };
}

export type Run = ReturnType<typeof createRun>;
