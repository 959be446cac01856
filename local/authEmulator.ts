/**
 * Runs the Auth emulator in a separate process. It uses the Firebase CLI as a module, as the CLI's documentation
 * describes, so that the other commands are not loaded. The CLI reads firebase.json in the working directory.
 */
import { createRequire } from 'node:module';

type FirebaseCli = {
  emulators: { start(options: { only: string; project: string; cwd: string }): Promise<void> };
};

const [project = ''] = process.argv.slice(2);
const firebase = createRequire(import.meta.url)('firebase-tools') as FirebaseCli;
// Resolves when the emulator has stopped. Rejects, and ends this process, if the emulator cannot start.
await firebase.emulators.start({ only: 'auth', project, cwd: process.cwd() });
