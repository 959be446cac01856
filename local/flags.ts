/** The command line of a local run. */
import { existsSync, readFileSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { parseArgs, parseEnv } from 'node:util';
import { environmentSchema } from '../shared/config/environment.ts';
import { localVariables } from '../tools/localVariables.ts';
import { parseWords } from '../tools/parseWords.ts';
import { StartRefused } from './refusal.ts';

export const usage = `npm start                 the studio, with emulators and fakes: README.md
npm start -- --console    also the emulators' own pages, to edit documents as an admin would
npm run dev               restarts the functions at each change of the sources
Variables such as PORT come from the environment or from .env; docs/setup/environment.md lists them.`;

export type Flags = {
  /** Print the usage and start nothing. */
  help: boolean;
  /** Restart the functions at each change of the sources. */
  dev: boolean;
  /** Start the emulators' console too. */
  console: boolean;
  /** A file with variables, which may be missing. npm's scripts name `.env`; tests name none. */
  settings: string | undefined;
};

/** @throws {StartRefused} naming an unknown flag, with the usage */
export function parseFlags(args: string[]): Flags {
  const options = {
    help: { type: 'boolean', default: false },
    dev: { type: 'boolean', default: false },
    console: { type: 'boolean', default: false },
    settings: { type: 'string' },
  } as const;
  const parse = () => parseArgs({ args, options });
  return { settings: undefined, ...parseWords(usage, parse, (message) => new StartRefused(message)).values };
}

/**
 * Adds the variables of the file to the environment, if it exists. A variable that is set already keeps its value.
 * @returns the names of those that nothing reads, such as misspelt ones.
 */
export function loadSettings(file: string | undefined): string[] {
  if (!file || !existsSync(file)) return [];
  loadEnvFile(file);
  const known = { ...environmentSchema.shape, ...localVariables };
  return Object.keys(parseEnv(readFileSync(file, 'utf8'))).filter((name) => !(name in known));
}
