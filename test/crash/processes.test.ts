/** Real signals to real processes at every await point of `generate`. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { startServerProcesses } from '../support/serverProcess.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';
import { ahead } from './faults.ts';

const points = ['read', 'hold', 'paint', 'store', 'settle', 'answer'].map((name, at) => ({ name, at }));
const settled = points.length - 1;

let stack: Stack;
let processes: Awaited<ReturnType<typeof startServerProcesses>>;
let sweeper: { url: string; close(): Promise<void> };
let paused: ServerResponse[] = [];
const pause = createServer((_request, response) => void paused.push(response));
let pauseUrl: string;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
  processes = await startServerProcesses(stack);
  sweeper = await stack.startServer({}, { database: ahead(stack.database, 10 * 60_000) });
  await new Promise<void>((resolve) => pause.listen(0, '127.0.0.1', resolve));
  pauseUrl = `http://127.0.0.1:${(pause.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await processes.close();
  pause.closeAllConnections();
  pause.close();
  await sweeper.close();
  await stack.close();
});

const sweep = () =>
  stack.fetch('sweepHolds', { method: 'POST', headers: { authorization: 'Bearer owner' } }, sweeper.url);

/** A process whose `generate` has come to a point and waits there. */
async function pausedAt(at: number, uid: string) {
  await (await stack.user(uid, 10)).get('account');
  paused = [];
  const env = { PAUSE_AT: String(at), PAUSE_URL: pauseUrl };
  const server = await processes.start(env, 'test/crash/pausedServer.ts');
  const ask = (url: string): Promise<Reply> =>
    stack.fetch(
      'generate',
      {
        method: 'POST',
        headers: {
          authorization: `Bearer ${processes.tokenFor(uid)}`,
          'content-type': 'application/json',
          'idempotency-key': 'k',
        },
        body: JSON.stringify({ prompt: 'A banana that is interrupted', tier: 'standard' }),
      },
      url,
    );
  const answer = ask(server.url).catch(() => 'broken' as const);
  await expect.poll(() => paused.length, { timeout: 20_000 }).toBe(1);
  return { server, answer, release: () => paused[0]?.end() };
}

/** Everything adds up, nothing is pending, and the generation, if there is one, ended so. */
async function expectEnded(uid: string, status: string | undefined): Promise<void> {
  expect(await brokenInvariants(stack, uid)).toEqual([]);
  expect(await strayImages(stack, [uid])).toEqual([]);
  const { generations } = await stack.ledger(uid);
  expect(generations.map((generation) => generation.status)).toEqual(status ? [status] : []);
}

describe.each(points)('at $name', ({ name, at }) => {
  const isHeld = at > 1;

  it('kill -9 leaves a hold that the sweep gives back', async () => {
    const uid = `kill-${name}`;
    const { server, answer } = await pausedAt(at, uid);
    server.signal('SIGKILL');
    await server.ended;
    expect(await answer).toBe('broken');
    await sweep();
    await expectEnded(uid, at === settled ? 'succeeded' : isHeld ? 'refunded' : undefined);
  });

  it('a process stopped past the deadline comes back too late, and takes nothing', async () => {
    const uid = `stop-${name}`;
    const { server, answer, release } = await pausedAt(at, uid);
    server.signal('SIGSTOP');
    release();
    await sweep();
    server.signal('SIGCONT');
    const reply = (await answer) as Reply;
    server.signal('SIGKILL');
    const wasTaken = isHeld && at < settled;
    expect(reply.status).toBe(wasTaken ? 410 : 200);
    if (wasTaken) expect(reply.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
    await expectEnded(uid, wasTaken ? 'refunded' : 'succeeded');
  });

  it('SIGTERM lets it finish and answer', async () => {
    const uid = `term-${name}`;
    const { server, answer, release } = await pausedAt(at, uid);
    server.signal('SIGTERM');
    release();
    expect(await answer).toMatchObject({ status: 200, body: { receipt: { charged: 1, refunded: 0 } } });
    expect(await server.ended).toEqual({ code: 0, signal: null });
    await expectEnded(uid, 'succeeded');
  });
});
