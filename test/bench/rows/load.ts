/** Rows 6 and 7: the throughput, on many accounts and on one. */
import { closeConnections, generate, now, waitForFirst200 } from '../client.ts';
import { median, type Row } from '../stats.ts';
import type { Server, Upstreams, World } from '../world.ts';

type Compared = 'ours' | 'usual' | 'floor';
const kinds: readonly Compared[] = ['ours', 'usual'];

/** Generations a second by number of clients. */
export type Throughput = { clients: number; ours: number; usual: number }[];

const clientsMax = 64;
const perClient = 4;
/** The points that appear in the plot only need few runs. */
const plotted = { clients: [1, 2, 4, 8, 16, 32], runs: 3 };

/** Row 6, and the points of the plot. */
export async function throughput(
  world: World,
  runs: number,
  save: (points: Throughput) => void,
): Promise<Row[]> {
  const upstreams = await world.startUpstreams(200, 0);
  const servers = await startServers(world, upstreams, 1, [...kinds, 'floor']);
  const measure = async (clients: number, times: number, measured = kinds) => {
    const rates: Record<Compared, number[]> = { ours: [], usual: [], floor: [] };
    // The first run warms up.
    for (let run = -1; run < times; run += 1) {
      for (const kind of measured) {
        const users = await Promise.all(Array.from({ length: clients }, () => world.newUser(kind, 100)));
        const tokens = users.map(({ token }) => token);
        const { rate, failed, firstError } = await drive(servers[kind], tokens, perClient);
        if (failed > 0) throw new Error(`${failed} generations of ${kind} failed: ${firstError}`);
        if (run >= 0) rates[kind].push(rate);
      }
    }
    return { clients, ours: median(rates.ours), usual: median(rates.usual), floor: median(rates.floor) };
  };
  const points: Throughput = [];
  for (const clients of plotted.clients) points.push(await measure(clients, Math.min(runs, plotted.runs)));
  const most = await measure(clientsMax, runs, [...kinds, 'floor']);
  save([...points, most]);
  await stopServers(servers);
  upstreams.stop();
  const name = `throughput, ${clientsMax} clients on ${clientsMax} accounts, upstreams 200 ms`;
  const row = { name, unit: '/s', ours: most.ours };
  return [
    { ...row, other: most.usual, against: 'usual', goal: { least: 1.3 } },
    { ...row, other: most.floor, against: 'floor' },
  ];
}

/** Row 7. */
export async function hotAccount(world: World, runs: number): Promise<Row[]> {
  const clients = 32;
  const upstreams = await world.startUpstreams(0, 0);
  const servers = await startServers(world, upstreams, 2, kinds);
  const rates: Record<Compared, number[]> = { ours: [], usual: [], floor: [] };
  const failures: Record<Compared, number> = { ours: 0, usual: 0, floor: 0 };
  for (let run = 0; run < runs; run += 1) {
    for (const kind of kinds) {
      const { token } = await world.newUser(kind, 1_000);
      const { rate, failed } = await drive(servers[kind], Array(clients).fill(token), 1);
      rates[kind].push(rate);
      failures[kind] += failed;
    }
  }
  await stopServers(servers);
  upstreams.stop();
  const of = runs * clients;
  return [
    {
      name: `one account, ${clients} clients, two processes`,
      unit: '/s',
      ours: median(rates.ours),
      other: median(rates.usual),
      against: 'usual',
      goal: { least: 10 },
      ok: failures.ours === 0,
      note: `failed: ours ${failures.ours} of ${of}, usual ${failures.usual} of ${of}`,
    },
  ];
}

async function startServers(
  world: World,
  upstreams: Upstreams,
  each: number,
  kindsToStart: readonly Compared[],
) {
  const servers: Record<Compared, Server[]> = { ours: [], usual: [], floor: [] };
  for (const kind of kindsToStart) {
    for (let i = 0; i < each; i += 1) {
      const server = await world.spawnServer(kind, 'generate', upstreams);
      const { token } = await world.newUser(kind, 10);
      await waitForFirst200(server, () => generate(server.url, token));
      servers[kind].push(server);
    }
  }
  return servers;
}

const stopServers = (servers: Record<Compared, Server[]>) =>
  Promise.all(
    Object.values(servers)
      .flat()
      .map((server) => server.stop()),
  );

/** One client per token, each with one generation after the other. `rate` is the succeeded ones per second. */
async function drive(servers: Server[], tokens: string[], times: number) {
  closeConnections();
  let [succeeded, failed] = [0, 0];
  let firstError: string | undefined;
  const began = now();
  await Promise.all(
    tokens.map(async (token, client) => {
      const { url } = servers[client % servers.length] as Server;
      for (let i = 0; i < times; i += 1) {
        const { status, body } = await generate(url, token);
        if (status === 200) succeeded += 1;
        else {
          failed += 1;
          firstError ??= `${status} ${body.slice(0, 400)}`;
        }
      }
    }),
  );
  return { rate: succeeded / ((now() - began) / 1000), failed, firstError };
}
