/**
 * Runs random histories: `node test/simulation/histories.ts --count 300 --seed 1`. Each has its own seed,
 * counted up from `--seed`. A failed history prints its seed and its trace, and `--seed X --count 1` runs the
 * same history again.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Outcome, runHistory } from './history.ts';
import type { StartInstance } from './instance.ts';
import { loadLastRelease } from './lastRelease.ts';
import { type Release, startReleased } from './releasedInstance.ts';

export type Histories = {
  count: number;
  /** How often each kind of event happened, in all histories together. */
  counts: Map<string, number>;
  milliseconds: number;
  /** The first failed history, run again with its trace. */
  failed: Outcome | undefined;
};

/** Runs `count` histories, or up to the first that fails. With `released`, beside the last release. */
export async function runHistories(
  count: number,
  seed: number,
  released?: StartInstance,
): Promise<Histories> {
  const startedAt = performance.now();
  const counts = new Map<string, number>();
  let failed: Outcome | undefined;
  let ran = 0;
  while (ran < count && !failed) {
    const outcome = await runHistory(seed + ran, false, released);
    ran += 1;
    for (const [kind, times] of outcome.counts) counts.set(kind, (counts.get(kind) ?? 0) + times);
    if (outcome.broken) failed = await runHistory(outcome.seed, true, released);
  }
  return { count: ran, counts, milliseconds: performance.now() - startedAt, failed };
}

/** The text for a failed history: its trace, its seed and the failed check. */
export function describeFailure({ seed, broken, trace }: Outcome): string {
  return `${trace.join('\n')}\nFAILED seed ${seed}: ${broken?.message ?? 'not reproduced with tracing'}\n`;
}

/** Starts instances of the last release. */
export async function loadReleased(): Promise<StartInstance> {
  const release = (await loadLastRelease()) as Release;
  return (environment, name) => startReleased(release, environment, name);
}

async function main(): Promise<void> {
  const options = {
    count: { type: 'string' },
    seed: { type: 'string' },
    released: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ options });
  const count = Number(values.count ?? 300);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  process.stdout.write(`${count} histories from seed ${seed}\n`);
  const result = await runHistories(count, seed, values.released ? await loadReleased() : undefined);
  const lines = [...result.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [kind, times] of lines) process.stdout.write(`${String(times).padStart(9)}  ${kind}\n`);
  if (result.failed) process.stdout.write(describeFailure(result.failed));
  const seconds = (result.milliseconds / 1000).toFixed(1);
  process.stdout.write(
    `${result.count} histories in ${seconds} s${result.failed ? ', the last one failed' : ''}\n`,
  );
  if (result.failed) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
