/**
 * npm run test:page-histories: a random user of the page, in histories of 250 steps, each with its own seed, counted up
 * from `--seed`.
 *
 *   npm run test:page-histories [-- --steps 10000] [-- --seed 1]
 *
 * A failed history prints its seed and its steps; `--seed` with it and `--steps 250` runs it again.
 */
import { parseArgs } from 'node:util';
import { launchBrowser } from '../support/browser.ts';
import { type Outcome, runHistory } from './history.ts';
import { startHistoriesStudio } from './studio.ts';

const stepsOfHistory = 250;

function describe({ seed, steps, counts, problem }: Outcome): string {
  const kinds = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  if (!problem) return `seed ${seed}: ${steps} steps (${kinds})\n`;
  const { message, trace, screenshot } = problem;
  return `${trace.slice(-60).join('\n')}\nFAILED seed ${seed} after ${steps} steps: ${message}\n${screenshot}\n`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { steps: { type: 'string' }, seed: { type: 'string' } } });
  const [steps, seed] = [Number(values.steps ?? 10_000), Number(values.seed ?? 1)];
  const [studio, browser] = await Promise.all([startHistoriesStudio(), launchBrowser()]);
  const startedAt = performance.now();
  let [made, failed] = [0, 0];
  try {
    for (let i = 0; made < steps; i += 1) {
      const wanted = Math.min(stepsOfHistory, steps - made);
      const outcome = await runHistory({ studio, browser }, seed + i, wanted);
      made += wanted;
      if (outcome.problem) failed += 1;
      process.stdout.write(describe(outcome));
    }
  } finally {
    await browser.close();
    await studio.end();
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`${made} steps from seed ${seed} in ${seconds} s, ${failed} histories failed\n`);
  if (failed > 0) process.exitCode = 1;
}

await main();
