/**
 * One table of ratios, measured in one run on one machine: our functions as they are deployed, the same functions
 * written like a tutorial (usual/), and the minimum of a `generate` (floor.ts).
 *
 *   npm run bench -- --runs 15 --only coldAccount
 *
 * With at least 15 runs of every row it writes docs/audit/performance.md and its plots; `--write` does so with fewer.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { stepsPlot, throughputPlot } from './plots.ts';
import { formatTable, writeTable } from './report.ts';
import { coldAccount, coldGenerate, coldHealth, coldWebhook } from './rows/coldStart.ts';
import { hotAccount, type Throughput, throughput } from './rows/load.ts';
import { memory } from './rows/memory.ts';
import { size } from './rows/size.ts';
import { type Steps, warmGenerate } from './rows/warm.ts';
import type { Row } from './stats.ts';
import { startWorld, type World } from './world.ts';

const runsMin = 15;
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: String(runsMin) },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);

let steps: Steps | undefined;
let points: Throughput | undefined;
const rows: Record<string, (world: World, runs: number) => Promise<Row[]>> = {
  coldHealth,
  coldAccount,
  coldGenerate,
  coldWebhook,
  warmGenerate: (world, times) =>
    warmGenerate(world, times, (measured) => {
      steps = measured;
    }),
  throughput: (world, times) =>
    throughput(world, times, (measured) => {
      points = measured;
    }),
  hotAccount,
  memory,
  size,
};

if (!(runs >= 1)) throw new Error('--runs must be a number from 1');
if (values.only && !Object.hasOwn(rows, values.only)) {
  throw new Error(`--only must be one of ${Object.keys(rows).join(', ')}`);
}

execFileSync(process.execPath, ['tools/build/build.ts'], { stdio: 'inherit' });
const found: Row[] = [];
for (const [name, measure] of Object.entries(rows)) {
  if (values.only && values.only !== name) continue;
  process.stderr.write(`${name} …\n`);
  // A new emulator for each row, because it keeps everything in memory.
  const world = await startWorld();
  try {
    found.push(...(await measure(world, runs)));
  } finally {
    await world.close();
  }
}
const command = `npm run bench -- --runs ${runs}`;
const table = formatTable(found, runs, command);
process.stdout.write(`${table}\n`);
if (steps) process.stdout.write(`${JSON.stringify(steps)}\n`);
if (points) process.stdout.write(`${JSON.stringify(points)}\n`);
const isWhole = !values.only && (runs >= runsMin || values.write);
if (isWhole && steps && points) {
  writeTable('docs/audit/performance.md', table);
  writeFileSync('docs/audit/latency.svg', stepsPlot(steps));
  writeFileSync('docs/audit/throughput.svg', throughputPlot(points));
}
process.exit(0);
