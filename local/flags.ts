/** The command line of a local run. */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { parseArgs } from 'node:util';
import { StartRefused } from './refusal.ts';

export type Flags = {
  /** Restart the functions at each change of the sources. */
  dev: boolean;
  /** Start the emulators' console too. */
  console: boolean;
  /** A file with variables, which may be missing. npm's scripts name `.env`; tests name none. */
  settings: string | undefined;
};

/** @throws {StartRefused} naming an unknown flag */
export function parseFlags(args: string[]): Flags {
  try {
    const options = {
      dev: { type: 'boolean', default: false },
      console: { type: 'boolean', default: false },
      settings: { type: 'string' },
    } as const;
    return { settings: undefined, ...parseArgs({ args, options }).values };
  } catch (error) {
    throw new StartRefused(`${(error as Error).message}\nnpm start knows one option: npm start -- --console`);
  }
}

/** Adds the variables of the file to the environment, if it exists. A variable that is set already keeps its value. */
export function loadSettings(file: string | undefined): void {
  if (file && existsSync(file)) loadEnvFile(file);
}
