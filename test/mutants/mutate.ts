/** Makes the mutants from the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Lang, parse, type SgNode } from '@ast-grep/napi';
import { mutants } from './mutants.ts';
import type { Mutant } from './rules.ts';

export const root = resolve(import.meta.dirname, '../..');

const parsed = new Map<string, { source: string; tree: SgNode }>();

function parseFile(file: string): { source: string; tree: SgNode } {
  const known = parsed.get(file);
  if (known) return known;
  const source = readFileSync(join(root, file), 'utf8');
  const made = { source, tree: parse(Lang.TypeScript, source).root() };
  parsed.set(file, made);
  return made;
}

/** The file of a mutant without and with the mistake. */
export type Mutation = { file: string; before: string; after: string };

/** @throws {Error} if the mutant does not match exactly once. */
function mutate({ name, place, find, replace }: Mutant): Mutation {
  const rule = typeof find === 'string' ? { pattern: find } : find;
  const matches = listFiles(place).flatMap((file) => {
    const { source, tree } = parseFile(file);
    return tree.findAll({ rule }).map((match) => ({ file, source, tree, match }));
  });
  const [first] = matches;
  if (!first || matches.length > 1) {
    const lines = matches.map(({ file, match }) => `\n  ${file}:${match.range().start.line + 1}`);
    throw new Error(`'${name}' matches ${matches.length} times in ${place}, not once${lines.join('')}`);
  }
  const { file, source, tree, match } = first;
  const text = replace.replace(/(\$\$\$|\$)([A-Z]+)/g, (variable, kind: string, id: string) => {
    const nodes = kind === '$$$' ? match.getMultipleMatches(id) : [match.getMatch(id)];
    if (nodes.includes(null)) throw new Error(`'${name}' does not capture ${variable}`);
    const code = nodes.map((node) => node?.text()).join('\n');
    return code.replace(/,$/, '');
  });
  return { file, before: source, after: tree.commitEdits([match.replace(text)]) };
}

/** @throws {Error} that names every mutant which does not match exactly once. */
export function mutateAll(): Map<Mutant, Mutation> {
  const mutations = new Map<Mutant, Mutation>();
  const problems: string[] = [];
  for (const mutant of mutants) {
    try {
      mutations.set(mutant, mutate(mutant));
    } catch (error) {
      problems.push(String(error));
    }
  }
  if (problems.length > 0) throw new Error(`Nothing was run:\n${problems.join('\n')}`);
  return mutations;
}

function listFiles(place: string): string[] {
  if (place.endsWith('.ts')) return [place];
  const names = readdirSync(join(root, place), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(place, name));
}
