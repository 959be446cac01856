/**
 * npm run docs: puts the Markdown documents of a folder in order, or checks that they are.
 *
 *   npm run docs [-- folder] [-- --dry-run | --check] [-- --force]
 */
import { runCommand } from './command.ts';

try {
  process.exitCode = runCommand(process.argv.slice(2), (text) => process.stdout.write(`${text}\n`));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
