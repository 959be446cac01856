/** What counts as a command that can really be run here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const manifest = z.object({ scripts: z.record(z.string(), z.string()).default({}) });

/** The names of npm's scripts. */
export function readScripts(folder: string): Set<string> {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return new Set();
  const parsed = manifest.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  return new Set(Object.keys(parsed.data?.scripts ?? {}));
}

/** `npm run check`, `npm test`, or something with a file of this repository in it. */
export function isCommand(code: string, scripts: Set<string>, files: Set<string>): boolean {
  const words = code.trim().split(/\s+/);
  const script = /^npm (?:run (\S+)|(test|start)\b)/.exec(code.trim());
  const name = script?.[1] ?? script?.[2];
  if (name !== undefined) return scripts.has(name);
  return words.some((word) => files.has(word.replace(/^\.\//, '')));
}
