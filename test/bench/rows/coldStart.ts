/** Rows 1 to 4: the time from the start of a process to its first 200. */
import { generate, get, now, type Reply, waitForFirst200 } from '../client.ts';
import { sendPurchase } from '../purchases.ts';
import { median, type Row } from '../stats.ts';
import type { Kind, Server, World } from '../world.ts';

type Send = (server: Server, user: { uid: string; token: string }) => Promise<Reply>;
type Start = { kind: Kind; target: string; send: Send };

export const coldHealth = (world: World, runs: number) =>
  coldRow(world, runs, 'cold start: `health`', 'the hello world', 0.9, [
    { kind: 'ours', target: 'health', send: ({ url }) => get(url) },
    { kind: 'hello', target: 'hello', send: ({ url }) => get(url) },
  ]);

export const coldAccount = (world: World, runs: number) => {
  const send: Send = ({ url }, { token }) => get(url, token);
  return coldRow(world, runs, 'cold start: `account`', 'usual', 0.55, [
    { kind: 'ours', target: 'account', send },
    { kind: 'usual', target: 'account', send },
  ]);
};

export const coldGenerate = (world: World, runs: number) => {
  const send: Send = ({ url }, { token }) => generate(url, token);
  return coldRow(world, runs, 'cold start: `generate`', 'usual', 0.6, [
    { kind: 'ours', target: 'generate', send },
    { kind: 'usual', target: 'generate', send },
  ]);
};

/** Its first event is a purchase. */
export const coldWebhook = (world: World, runs: number) => {
  const start = (kind: Kind): Start => ({
    kind,
    target: 'stripeWebhook',
    send: ({ url }, { uid }) => sendPurchase(url, world.getProject(kind), uid),
  });
  return coldRow(world, runs, 'cold start: `stripeWebhook`', 'usual', 0.55, [start('ours'), start('usual')]);
};

async function coldRow(
  world: World,
  runs: number,
  name: string,
  against: string,
  most: number,
  starts: [Start, Start],
): Promise<Row[]> {
  const upstreams = await world.startUpstreams(0, 0);
  const times: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    for (const [i, { kind, target, send }] of starts.entries()) {
      const user = await world.newUser(kind, 10);
      const began = now();
      const server = await world.spawnServer(kind, target, upstreams);
      await waitForFirst200(server, () => send(server, user));
      times[i]?.push(now() - began);
      await server.stop();
    }
  }
  upstreams.stop();
  return [{ name, unit: 'ms', ours: median(times[0]), other: median(times[1]), against, goal: { most } }];
}
