/** One local run: everything it has started, and the one order in which that ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from '../tools/say.ts';
import { type Keeping, save } from './data.ts';
import type { Functions } from './functionsProcess.ts';
import { type Recording, recordRun } from './previousRun.ts';
import { type Child, endChild, lastWords, signalChild } from './processes.ts';

/** An emulator has nothing to finish any more when it is asked to end. */
const emulatorGraceMs = 1_500;
/** How often data is saved meanwhile, for a run that is killed outright. */
const saveEveryMs = 30_000;
/** Signals to a group of processes come twice; a later one is a person who will not wait. */
const sameSignalMs = 1_000;

/** A run with nothing started yet. */
export function createRun() {
  const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-run-'));
  const started: Child[] = [];
  let recording: Recording | undefined;
  let functions: Functions | undefined;
  let keeping: Keeping | undefined;
  let saving = Promise.resolve();
  let endingSince: number | undefined;

  const saveNow = () => {
    const what = keeping;
    // One after the other: a save that is under way must not overwrite a later one.
    saving = saving.catch(() => {}).then(() => (what ? save(what) : undefined));
    return saving;
  };

  async function endAll(): Promise<void> {
    await functions?.end();
    try {
      await saveNow();
    } finally {
      await Promise.all(started.map((child) => endChild(child, emulatorGraceMs)));
      recording?.forget();
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
    const words = child.logFile ? ` The end of its log:\n${lastWords(child)}` : '';
    process.stderr.write(`Ending: ${child.name} ended unexpectedly (${how}).${words}\n`);
    end(1);
  }

  function refuseWhileEnding(): void {
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
        for (const child of started) signalChild(child, 'SIGKILL');
      }
    },

    /** From here on the run is known to the next one on its port. */
    record(port: number, dataDir: string | undefined): void {
      recording = recordRun(port, runDir, dataDir);
    },

    /** Starts an emulator or the like, which ends with the run. */
    start(spawn: () => Child): Child {
      refuseWhileEnding();
      const child = spawn();
      started.push(child);
      recording?.addChild(child.identity);
      return child;
    },
    /** From here on the run ends when the child does. */
    guard(child: Child): void {
      void child.ended.then((how) => reportDeath(child, how));
    },
    /** Starts the functions, which end before everything else. */
    startFunctions(start: (onStart: (child: Child) => void) => Functions): Functions {
      refuseWhileEnding();
      functions = start((child) => recording?.addChild(child.identity));
      return functions;
    },

    /** The emulators' data is loaded: it is saved at the end from now on, and every now and then. */
    keep(what: Keeping): void {
      keeping = what;
      recording?.keep(what);
      setInterval(() => void saveNow().catch(() => {}), saveEveryMs).unref();
    },
  };
}

export type Run = ReturnType<typeof createRun>;
