/** Row 8: the memory of a generation in flight. */
import { readFileSync } from 'node:fs';
import { generate, waitForFirst200 } from '../client.ts';
import { median, type Row } from '../stats.ts';
import type { World } from '../world.ts';

const inFlight = 24;
/** An image of 1K, and the largest of 4K. */
const imageSizes = [4_000_000, 25_000_000];
/** Long enough for all of them to be in flight at the same time, milliseconds. */
const latencyMs = 500;

export async function memory(world: World, runs: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const imageBytes of imageSizes) rows.push(await measureImages(world, runs, imageBytes));
  return rows;
}

async function measureImages(world: World, runs: number, imageBytes: number): Promise<Row> {
  const large = await world.startUpstreams(latencyMs, imageBytes);
  const perGeneration = { ours: [] as number[], usual: [] as number[] };
  for (let run = 0; run < runs; run += 1) {
    for (const kind of ['ours', 'usual'] as const) {
      const server = await world.spawnServer(kind, 'generate', large);
      const users = await Promise.all(Array.from({ length: inFlight + 1 }, () => world.newUser(kind, 10)));
      const [first, ...others] = users.map(({ token }) => token);
      // Load everything lazy first, so that only the generations in flight count.
      await waitForFirst200(server, () => generate(server.url, first as string));
      const before = megabytes(server.pid, 'VmRSS');
      const replies = await Promise.all(others.map((token) => generate(server.url, token)));
      const bad = replies.find(({ status }) => status !== 200);
      if (bad) throw new Error(`${kind} answered ${bad.status}: ${bad.body.slice(0, 200)}`);
      perGeneration[kind].push((megabytes(server.pid, 'VmHWM') - before) / inFlight);
      await server.stop();
    }
  }
  large.stop();
  return {
    name: `peak memory per generation, ${inFlight} in flight, ${imageBytes / 1e6} MB images`,
    unit: 'MB',
    ours: median(perGeneration.ours),
    other: median(perGeneration.usual),
    against: 'usual',
    goal: { most: 0.6 },
  };
}

/** The resident size of a process on Linux: `VmRSS` is the current one, `VmHWM` the peak. */
function megabytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(line?.[1]) * 1024) / 1e6;
}
