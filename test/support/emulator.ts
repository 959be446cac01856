/** Starts one Firestore emulator for a whole run, on a free port, and ends it. Without an emulator the run fails. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Host and port of the emulator; undefined outside of the project `emulator`. */
    firestoreHost: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const program = await findFirestoreProgram(process.env);
  const [port, functionsPort] = [await findFreePort(), await findFreePort()];
  const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-test-'));
  const child = startFirestore({
    program,
    port,
    functionsPort,
    rules: resolve('firestore.rules'),
    seed: undefined,
    runDir,
  });
  await waitForEmulator(child, `${loopback}:${port}`, program);
  project.provide('firestoreHost', `${loopback}:${port}`);
  return async () => {
    await endChild(child, 2_000);
    rmSync(runDir, { recursive: true, force: true });
  };
}
