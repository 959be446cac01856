/**
 * The last release, built from its commit, so that histories can run its instances beside those of today's code. At a
 * release, put its version and its commit here (CONTRIBUTING.md).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const lastRelease = { version: '0.1.0', commit: '9c8bd76bf90ae544906d9950bf1c04707e478210' };

/** Where the release has what its instances are made of; see releasedInstance.ts. */
const sources = {
  'functions/index': 'functions',
  'shared/studio': 'createStudio',
  'shared/config': 'parseConfig',
  'shared/database': 'CommitRejected, removed',
  'shared/deadline': 'DeadlinePassed',
  'shared/errors': 'Failure, reasons',
};

/** Inside the repository, where the packages are found. */
const folder = resolve(import.meta.dirname, '../../.local/releases', lastRelease.commit);

/** True if git has the commit. A copy without the history, such as a shallow clone, does not. */
export function hasLastRelease(): boolean {
  try {
    execFileSync('git', ['cat-file', '-e', `${lastRelease.commit}^{commit}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Builds the release, once for each commit, and loads it. */
export async function loadLastRelease(): Promise<unknown> {
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}`;
    mkdirSync(partial, { recursive: true });
    const archive = execFileSync('git', ['archive', lastRelease.commit, 'functions', 'shared'], {
      maxBuffer: 100_000_000,
    });
    execFileSync('tar', ['-x', '-C', partial], { input: archive });
    const entry = Object.entries(sources).map(([file, names]) => `export { ${names} } from './${file}.ts';`);
    const { build } = await import('esbuild');
    await build({
      stdin: { contents: entry.join('\n'), resolveDir: partial },
      outdir: partial,
      entryNames: 'release',
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    try {
      renameSync(partial, folder);
    } catch {
      // Another process was faster.
      rmSync(partial, { recursive: true });
    }
  }
  return import(/* @vite-ignore */ pathToFileURL(join(folder, 'release.mjs')).href);
}

/** What the release does not promise yet, by the names of checks. Empty this list at a release. */
export const newPromises: ReadonlySet<string> = new Set([
  // It takes the time of success from the machine's clock.
  "the time of success is the database's",
  // It keeps the message of a failure.
  "a deletion erases the model's words",
  // Its answers have fewer fields.
  'a replay is the same reply',
  // It erases the fields that it knows.
  "a deletion erases the user's words",
  // It writes none.
  'a finished image has the words of its prompts',
  // It gives one to every user.
  'allowances are for verified users',
  // It logs no entries.
  'every entry is logged',
]);

/** Console edits that the release reads in another way. Empty this list at a release. */
export const newEdits: ReadonlySet<string> = new Set([
  'sequence is lowered',
  'sequence is raised',
  'balance is removed',
  'allowance is typed wrong',
  'an account without a balance',
]);
