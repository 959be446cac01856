/** Folders for tests, and the command itself in a process of its own. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../../../tools/docs/main.ts';

export function git(folder: string, ...args: string[]): string {
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
  return execFileSync('git', ['-C', folder, ...who, ...args], { encoding: 'utf8', stdio: 'pipe' });
}

/** A place for folders; `end` removes them all. */
export function createFolders() {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'nano-banana-docs-test-'));
  const plain = (files: Record<string, string>): string => {
    const folder = mkdtempSync(join(root, 'tree-'));
    write(folder, files);
    return folder;
  };
  return {
    root,
    /** A folder that git knows nothing of. */
    plain,
    /** A repository with the files in its one commit. */
    committed(files: Record<string, string>): string {
      const folder = plain(files);
      git(folder, 'init', '-q');
      git(folder, 'config', 'core.autocrlf', 'false');
      git(folder, 'add', '-A');
      git(folder, 'commit', '-qm', 'everything');
      return folder;
    },
    end: () => rmSync(root, { recursive: true }),
  };
}

export function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Every file and its contents, git's own aside. */
export function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.git/'));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** `npm run docs -- folder …`, and what it says. */
export async function runDocs(folder: string, ...args: string[]): Promise<{ code: number; said: string }> {
  let said = '';
  const code = await runCommand([folder, ...args], (text) => {
    said += `${text}\n`;
  });
  return { code, said };
}
