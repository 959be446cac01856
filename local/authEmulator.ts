/**
 * The process of the Auth emulator: the Firebase CLI used as a module, as its documentation has it, which
 * spares the loading of its other commands. Its configuration is the firebase.json where it runs.
 */
import { createRequire } from 'node:module';

type FirebaseCli = {
  emulators: { start(options: { only: string; project: string; cwd: string }): Promise<void> };
};

const [project = ''] = process.argv.slice(2);
const firebase = createRequire(import.meta.url)('firebase-tools') as FirebaseCli;
// Resolves when the emulator has been ended; rejects, and so ends this process, when it cannot start.
await firebase.emulators.start({ only: 'auth', project, cwd: process.cwd() });
