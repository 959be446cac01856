/** Row 5: one `generate` after the other on a warm process, and the time of each step. */
import { generate, now, timedGenerate, waitForFirst200 } from '../client.ts';
import { median, type Row } from '../stats.ts';
import type { Kind, Server, Upstreams, World } from '../world.ts';

/** Fewer than the default limit per minute, so that accounts have an ordinary size. */
const generationsPerRun = 10;
/** Enough runs for V8 to compile the code. */
const warmUpRuns = 30;
const kinds = ['ours', 'usual', 'floorLibrary', 'floor'] as const;

export const stepNames = ['check and hold', 'paint', 'read the image', 'store', 'settle and answer'];
/** Median milliseconds of each step, for each kind of server. */
export type Steps = { kind: Kind; milliseconds: number[] }[];

export async function warmGenerate(world: World, runs: number, save: (steps: Steps) => void): Promise<Row[]> {
  const upstreams = await world.startUpstreams(0, 0);
  const servers = await startAll(world, upstreams);
  const times = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (let run = -warmUpRuns; run < runs; run += 1) {
    for (const { kind, server } of servers) {
      const { token } = await world.newUser(kind, 100);
      const each: number[] = [];
      for (let i = 0; i < generationsPerRun; i += 1) each.push(await timedGenerate(server.url, token));
      if (run >= 0) times.get(kind)?.push(median(each));
    }
  }
  save(await steps(world, servers, upstreams, runs));
  await Promise.all(servers.map(({ server }) => server.stop()));
  upstreams.stop();
  const of = (kind: Kind) => median(times.get(kind) ?? []);
  const name = '`generate` warm, one client, p50';
  const row = { unit: 'ms', ours: of('ours') };
  return [
    { ...row, name, other: of('floor'), against: 'floor', goal: { most: 1.25 } },
    { ...row, name, other: of('usual'), against: 'usual', goal: { most: 0.8 } },
    { ...row, name, other: of('floorLibrary'), against: 'floor on the Firestore client' },
  ];
}

async function startAll(world: World, upstreams: Upstreams) {
  const servers: { kind: Kind; server: Server }[] = [];
  for (const kind of kinds) {
    const server = await world.spawnServer(kind, 'generate', upstreams);
    const { token } = await world.newUser(kind, 10);
    await waitForFirst200(server, () => generate(server.url, token));
    servers.push({ kind, server });
  }
  return servers;
}

/** Measured from outside, the same for all kinds: when each upstream was called and answered. */
async function steps(
  world: World,
  servers: { kind: Kind; server: Server }[],
  upstreams: Upstreams,
  runs: number,
): Promise<Steps> {
  const measured = new Map<Kind, number[][]>();
  for (let run = 0; run < runs; run += 1) {
    for (const { kind, server } of servers) {
      const { token } = await world.newUser(kind, 100);
      for (let i = 0; i < generationsPerRun; i += 1) {
        await upstreams.marks();
        const began = now();
        await timedGenerate(server.url, token);
        const ended = now();
        const marks = await upstreams.marks();
        const generateImage = marks.find(({ path }) => path.includes(':generateContent'));
        const store = marks.find(({ path }) => path.endsWith('/upload'));
        if (!generateImage || !store) throw new Error('An upstream was not called');
        const times = [
          began,
          generateImage.beganAt,
          generateImage.endedAt,
          store.beganAt,
          store.endedAt,
          ended,
        ];
        const each = times.slice(1).map((time, step) => time - (times[step] as number));
        measured.set(kind, [...(measured.get(kind) ?? []), each]);
      }
    }
  }
  return [...measured].map(([kind, all]) => ({
    kind,
    milliseconds: stepNames.map((_, step) => median(all.map((each) => each[step] as number))),
  }));
}
