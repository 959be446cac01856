/**
 * Runs random histories: `node test/simulation/histories.ts --count 300 --seed 1`. Each has a seed of its own,
 * from the given one on; one that fails prints it with everything that happened, and `--seed X --count 1`
 * runs it again exactly.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Outcome, runHistory } from './history.ts';

export type Histories = {
  count: number;
  /** How often each kind of thing happened, in all histories together. */
  counts: Map<string, number>;
  milliseconds: number;
  /** The first that failed, run again with its trace. */
  failed: Outcome | undefined;
};

/** Runs so many histories, up to the first that fails. */
export async function runHistories(count: number, seed: number): Promise<Histories> {
  const startedAt = performance.now();
  const counts = new Map<string, number>();
  let failed: Outcome | undefined;
  let ran = 0;
  while (ran < count && !failed) {
    const outcome = await runHistory(seed + ran);
    ran += 1;
    for (const [kind, times] of outcome.counts) counts.set(kind, (counts.get(kind) ?? 0) + times);
    if (outcome.broken) failed = await runHistory(outcome.seed, true);
  }
  return { count: ran, counts, milliseconds: performance.now() - startedAt, failed };
}

/** What to print of a failed history: its seed, what was broken, and all that led to it. */
export function failureOf({ seed, broken, trace }: Outcome): string {
  return `${trace.join('\n')}\nFAILED seed ${seed}: ${broken?.message ?? 'only without its trace'}\n`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
  const count = Number(values.count ?? 300);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  process.stdout.write(`${count} histories from seed ${seed}\n`);
  const result = await runHistories(count, seed);
  const lines = [...result.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [kind, times] of lines) process.stdout.write(`${String(times).padStart(9)}  ${kind}\n`);
  if (result.failed) process.stdout.write(failureOf(result.failed));
  const seconds = (result.milliseconds / 1000).toFixed(1);
  process.stdout.write(
    `${result.count} histories in ${seconds} s${result.failed ? ', the last one failed' : ''}\n`,
  );
  if (result.failed) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
