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
  /** A file with variables. npm's scripts name `.env`; tests name none. */
  envFile: string | undefined;
};

/** @throws {StartRefused} naming an unknown flag */
export function parseFlags(args: string[]): Flags {
  try {
    const options = {
      dev: { type: 'boolean', default: false },
      console: { type: 'boolean', default: false },
      'env-file': { type: 'string' },
    } as const;
    const { dev, console, 'env-file': envFile } = parseArgs({ args, options }).values;
    return { dev, console, envFile };
  } catch (error) {
    throw new StartRefused(`${(error as Error).message}\nnpm start knows one option: npm start -- --console`);
  }
}

/** Adds the variables of the file to the environment, if it exists. A variable that is set already keeps its value. */
export function loadSettings(envFile: string | undefined): void {
  if (envFile && existsSync(envFile)) loadEnvFile(envFile);
}
