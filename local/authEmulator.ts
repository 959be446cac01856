/**
 * Runs the Auth emulator in a separate process. It uses the Firebase CLI as a module, as the CLI's documentation
 * describes, so that the other commands are not loaded. The CLI reads firebase.json in the working directory.
 */
import { createRequire } from 'node:module';
import { stripVTControlCharacters } from 'node:util';

/** winston puts the parts of a line after the first one under this symbol. */
const furtherParts = Symbol.for('splat');
type LogEntry = { message: unknown; [furtherParts]?: unknown[] };

type FirebaseCli = {
  emulators: { start(options: { only: string; project: string; cwd: string }): Promise<void> };
  logger: { logger: { on(event: 'data', listener: (line: LogEntry) => void): void } };
};

const [project = ''] = process.argv.slice(2);
const firebase = createRequire(import.meta.url)('firebase-tools') as FirebaseCli;

// The emulator sends no mail. It logs the link that the mail would have, and the parent process prints it.
firebase.logger.logger.on('data', (entry) => {
  const text = stripVTControlCharacters([entry.message, ...(entry[furtherParts] ?? [])].join(' '));
  const words = /To (?:verify|reset|sign in) .*, follow this link: \S+/.exec(text)?.[0];
  if (words && process.connected) process.send?.(words);
});
// The emulator outlives a parent that was killed, because the next run saves its data.
process.channel?.unref();

// Resolves when the emulator has stopped. Rejects, and ends this process, if the emulator cannot start.
await firebase.emulators.start({ only: 'auth', project, cwd: process.cwd() });
