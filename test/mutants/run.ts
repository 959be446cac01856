/**
 * Whether the histories would notice: plausible mistakes, one at a time, each in a copy of the sources, and each
 * to be found by a short run. `node test/mutants/run.ts`, or with a word to try only those whose name has it.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Mutant, mutants } from './mutants.ts';

/** Histories a mutant is given, and from which seeds: with the first it lives, it is given the next. */
const historiesPerSeed = 200;
const seeds = [1, 1_000, 2_000, 3_000, 4_000];
const runMsMax = 120_000;

type Verdict = { killedBy: string | undefined; milliseconds: number };

const root = resolve(import.meta.dirname, '../..');
const copied = ['functions', 'shared', 'test/simulation', 'package.json'];

function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-mutants-'));
  for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The check that a run of histories in a folder ended with; undefined where it found nothing. */
async function runHistories(folder: string, seed: number): Promise<string | undefined> {
  const args = ['test/simulation/histories.ts', '--count', String(historiesPerSeed), '--seed', String(seed)];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), runMsMax);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const code = await new Promise((end) => child.on('close', end));
  clearTimeout(late);
  if (code === 0) return undefined;
  const found = /^FAILED seed (\d+): ([^:]+)/m.exec(output);
  // Anything else is a mutant that does not even run, and proves nothing.
  if (!found || found[2] === 'the simulation works') {
    throw new Error(`The histories did not run:\n${output.slice(-2_000)}`);
  }
  return `${found[2]} (seed ${found[1]})`;
}

async function judge(folder: string, { name, file, from, to }: Mutant): Promise<Verdict> {
  const startedAt = performance.now();
  const source = readFileSync(join(root, file), 'utf8');
  if (source.split(from).length !== 2) throw new Error(`'${name}' does not fit ${file} exactly once`);
  writeFileSync(
    join(folder, file),
    source.replace(from, () => to),
  );
  let killedBy: string | undefined;
  for (const seed of seeds) killedBy ??= await runHistories(folder, seed);
  writeFileSync(join(folder, file), source);
  return { killedBy, milliseconds: performance.now() - startedAt };
}

const print = (line: string) => void process.stdout.write(`${line}\n`);
const wanted = mutants.filter(({ name }) => name.includes(process.argv[2] ?? ''));
const folder = makeCopy();
try {
  print(`${wanted.length} mutants, each given up to ${seeds.length} times ${historiesPerSeed} histories`);
  for (const { name, file, from } of mutants) {
    const fits = readFileSync(join(root, file), 'utf8').split(from).length - 1;
    if (fits !== 1) throw new Error(`'${name}' fits ${file} ${fits} times, not once`);
  }
  const sound = await runHistories(folder, seeds[0] ?? 1);
  if (sound) throw new Error(`The sources themselves fail: ${sound}`);
  const survivors: string[] = [];
  for (const mutant of wanted) {
    const { killedBy, milliseconds } = await judge(folder, mutant);
    if (!killedBy) survivors.push(mutant.name);
    const seconds = (milliseconds / 1000).toFixed(1).padStart(6);
    print(`${seconds} s  ${mutant.name.padEnd(64)} ${killedBy ? `killed by: ${killedBy}` : 'SURVIVED'}`);
  }
  print(`${wanted.length - survivors.length} of ${wanted.length} killed`);
  if (survivors.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
