/** The processes of one local run, and the order in which they end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from '../tools/say.ts';
import { type SaveOptions, save } from './data.ts';
import type { Functions } from './functionsProcess.ts';
import { createRunRecorder, type RunRecorder } from './previousRun.ts';
import { type Child, endChild, readLogTail, signalChild } from './processes.ts';

/** Short, because an emulator has nothing left to finish when it gets SIGTERM; milliseconds. */
const emulatorGraceMs = 1_500;
/** How often a run saves its data, in case it gets SIGKILL; milliseconds. */
const saveEveryMs = 30_000;
/** A signal to a process group arrives twice within this time. A later one means that the user will not wait. */
const sameSignalMs = 1_000;

/** Creates a run that has not started any process. */
export function createRun() {
  const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-run-'));
  const children: Child[] = [];
  let recorder: RunRecorder | undefined;
  let functions: Functions | undefined;
  const saver = createSaver();
  let endingSince: number | undefined;

  async function endAll(): Promise<void> {
    await functions?.end();
    try {
      await saver.saveNow();
    } finally {
      await Promise.all(children.map((child) => endChild(child, emulatorGraceMs)));
      recorder?.remove();
      rmSync(runDir, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Ends everything, the emulators last; then exits with `code`. */
  function end(code: number): void {
    if (endingSince !== undefined) return;
    endingSince = performance.now();
    endAll().then(
      () => process.exit(code),
      (error: unknown) => {
        process.stderr.write(`The run did not end cleanly: ${error}\n`);
        process.exit(1);
      },
    );
  }

  function reportDeath(child: Child, how: string): void {
    if (endingSince !== undefined) return;
    const words = child.logFile ? ` The end of its log:\n${readLogTail(child)}` : '';
    process.stderr.write(`Stopping: ${child.name} ended unexpectedly (${how}).${words}\n`);
    end(1);
  }

  function assertNotEnding(): void {
    if (endingSince !== undefined) throw new Error('The run is stopping');
  }

  return {
    runDir,
    end,
    reportDeath,
    isEnding: () => endingSince !== undefined,

    /** The first signal ends the run in order. A second one, a while later, kills everything at once. */
    onSignal(): void {
      if (endingSince === undefined) {
        say('Stopping …');
        end(0);
      } else if (performance.now() - endingSince > sameSignalMs) {
        if (functions) signalChild(functions.child(), 'SIGKILL');
        for (const child of children) signalChild(child, 'SIGKILL');
      }
    },

    /** Records this run, so that the next run on the port can end it. */
    record(port: number, dataDir: string | undefined): void {
      recorder = createRunRecorder(port, runDir, dataDir);
    },
    /** Records the address of the fake Stripe, for `npm run purchases`. */
    recordStripe: (url: string) => recorder?.setStripe(url),

    /** Starts a process, such as an emulator, that ends with the run. */
    start(spawn: () => Child): Child {
      assertNotEnding();
      const child = spawn();
      children.push(child);
      recorder?.addChild(child.identity);
      return child;
    },
    /** From now on, the run ends if this child ends. */
    guard(child: Child): void {
      void child.ended.then((how) => reportDeath(child, how));
    },
    /** Starts the functions' process, which ends before all others. */
    startFunctions(start: (onStart: (child: Child) => void) => Functions): Functions {
      assertNotEnding();
      functions = start((child) => recorder?.addChild(child.identity));
      return functions;
    },

    /** Saves the data regularly and at the end. Call it once the saved data is loaded. */
    enableSaving(options: SaveOptions): void {
      saver.enable(options);
      recorder?.enableSaving(options);
    },
  };
}

/** Saves a run's data, one save at a time: an earlier save must not overwrite a later one. */
function createSaver() {
  let saveOptions: SaveOptions | undefined;
  let lastSave = Promise.resolve();
  const saveNow = (): Promise<void> => {
    const options = saveOptions;
    lastSave = lastSave.catch(() => {}).then(() => (options ? save(options) : undefined));
    return lastSave;
  };
  return {
    /** Saves now and then from here on. */
    enable(options: SaveOptions): void {
      saveOptions = options;
      setInterval(() => void saveNow().catch(() => {}), saveEveryMs).unref();
    },
    /** Does nothing before `enable`. */
    saveNow,
  };
}

export type Run = ReturnType<typeof createRun>;
