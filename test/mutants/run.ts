/**
 * Mutation tests: plausible mistakes, one at a time, each in a copy of the sources. A short run of the histories must
 * fail on each of them, or the unit test that the mutant names. `node test/mutants/run.ts` tries all of them; with a
 * word, only those with the word in their name.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { mutants } from './mutants.ts';
import { type Mutation, mutateAll, root } from './mutate.ts';
import type { Mutant } from './rules.ts';

/** Each seed starts a run of this many histories. A mutant that survives one seed is tried with the next. */
const historiesPerSeed = 200;
const seeds = [1, 1_000, 2_000, 3_000, 4_000] as const;
const runMsMax = 180_000;

const copyPaths = [
  'functions',
  'shared',
  'test/crash',
  'test/simulation',
  'test/shared',
  'test/support',
  'local',
  'tools',
  'web',
  'package.json',
];

function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-mutants-'));
  for (const path of copyPaths) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function runNode(folder: string, args: readonly string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), runMsMax);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  const code = await new Promise((end) => child.on('close', end));
  clearTimeout(late);
  return { code, output: stripVTControlCharacters(output) };
}

/** The check that fails in a run of histories; undefined if none does. */
async function runHistories(folder: string, seed: number): Promise<string | undefined> {
  const args = ['--count', String(historiesPerSeed), '--seed', String(seed)];
  const { code, output } = await runNode(folder, ['test/simulation/histories.ts', ...args]);
  if (code === 0) return undefined;
  const failure = /^FAILED seed (\d+): ([^:]+)/m.exec(output);
  // A mutant that does not even run proves nothing.
  if (!failure || failure[2] === 'the simulation works') {
    throw new Error(`The histories did not run:\n${output.slice(-2_000)}`);
  }
  return `${failure[2]} (seed ${failure[1]})`;
}

/** The test that fails in a file; undefined if none does. */
async function runTests(folder: string, file: string): Promise<string | undefined> {
  const { code, output } = await runNode(folder, ['node_modules/vitest/vitest.mjs', 'run', file]);
  if (code === 0) return undefined;
  const failure = / FAIL .*\.test\.ts > (.*)/.exec(output);
  if (!failure) throw new Error(`The tests did not run:\n${output.slice(-2_000)}`);
  return failure[1];
}

async function findKiller(folder: string, { killedBy }: Mutant): Promise<string | undefined> {
  if (killedBy) return runTests(folder, killedBy);
  let killer: string | undefined;
  for (const seed of seeds) killer ??= await runHistories(folder, seed);
  return killer;
}

/** @throws {Error} if the sources themselves fail: then the mutants would prove nothing. */
async function checkSources(folder: string, selection: readonly Mutant[]): Promise<void> {
  const files = new Set(selection.flatMap(({ killedBy }) => killedBy ?? []));
  const failures = [await runHistories(folder, seeds[0])];
  for (const file of files) failures.push(await runTests(folder, file));
  const failure = failures.find((each) => each !== undefined);
  if (failure) throw new Error(`The sources themselves fail: ${failure}`);
}

const print = (line: string) => void process.stdout.write(`${line}\n`);
const mutations = mutateAll();
const selection = mutants.filter(({ name }) => name.includes(process.argv[2] ?? ''));
const folder = makeCopy();
try {
  print(`${selection.length} mutants, each with up to ${seeds.length} times ${historiesPerSeed} histories`);
  await checkSources(folder, selection);
  const survivors: string[] = [];
  for (const mutant of selection) {
    const startedAt = performance.now();
    const { file, before, after } = mutations.get(mutant) as Mutation;
    writeFileSync(join(folder, file), after);
    const killer = await findKiller(folder, mutant);
    writeFileSync(join(folder, file), before);
    if (!killer) survivors.push(mutant.name);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
    print(`${seconds} s  ${mutant.name.padEnd(64)} ${killer ? `killed by: ${killer}` : 'SURVIVED'}`);
  }
  print(`${selection.length - survivors.length} of ${selection.length} killed`);
  if (survivors.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
