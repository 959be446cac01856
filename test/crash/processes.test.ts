/** SIGKILL, SIGSTOP and SIGTERM to real processes at every await point of `generate`. */
import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { listen } from '../support/listen.ts';
import type { Reply } from '../support/replies.ts';
import { startServerProcesses } from '../support/serverProcess.ts';
import { type Server, type Stack, startStack } from '../support/stack.ts';
import { shiftClock } from './faults.ts';

const points = ['read', 'hold', 'generate image', 'store', 'settle', 'answer'].map((name, at) => ({
  name,
  at,
}));
const settled = points.length - 1;

let stack: Stack;
let processes: Awaited<ReturnType<typeof startServerProcesses>>;
let sweeper: Server;
let paused: ServerResponse[] = [];
const pause = createServer((_request, response) => void paused.push(response));
let pauseUrl: string;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
  processes = await startServerProcesses(stack);
  sweeper = await stack.startServer({}, { database: shiftClock(stack.database, 10 * 60_000) });
  pauseUrl = `http://${await listen(pause)}`;
});
afterAll(async () => {
  await processes.close();
  pause.closeAllConnections();
  pause.close();
  await stack.close();
});

const sweep = () =>
  stack.fetch('sweepHolds', { method: 'POST', headers: { authorization: 'Bearer owner' } }, sweeper.url);

/** Starts a process and has its `generate` pause at a point. */
async function pauseAt(at: number, uid: string) {
  await (await stack.user(uid, 10)).get('account');
  paused = [];
  const env = { PAUSE_AT: String(at), PAUSE_URL: pauseUrl };
  const server = await processes.start(env, 'test/crash/pausedServer.ts');
  const send = (url: string): Promise<Reply> =>
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
  const answer = send(server.url).catch(() => 'broken' as const);
  await expect.poll(() => paused.length, { timeout: 20_000 }).toBe(1);
  return { server, answer, release: () => paused[0]?.end() };
}

/** Everything adds up, and the generation, if there is one, has this status. */
async function expectEnded(uid: string, status: string | undefined): Promise<void> {
  expect(await brokenInvariants(stack, uid)).toEqual([]);
  expect(await strayImages(stack, [uid])).toEqual([]);
  const { generations } = await stack.ledger(uid);
  expect(generations.map((generation) => generation.status)).toEqual(status ? [status] : []);
}

describe.each(points)('at $name', ({ name, at }) => {
  const isHeld = at > 1;

  it('the sweep refunds a hold after SIGKILL', async () => {
    const uid = `kill-${name}`;
    const { server, answer } = await pauseAt(at, uid);
    server.signal('SIGKILL');
    await server.ended;
    expect(await answer).toBe('broken');
    await sweep();
    await expectEnded(uid, at === settled ? 'succeeded' : isHeld ? 'refunded' : undefined);
  });

  it('a process that was stopped past the deadline charges nothing', async () => {
    const uid = `stop-${name}`;
    const { server, answer, release } = await pauseAt(at, uid);
    server.signal('SIGSTOP');
    release();
    await sweep();
    server.signal('SIGCONT');
    const reply = (await answer) as Reply;
    server.signal('SIGKILL');
    const wasSwept = isHeld && at < settled;
    expect(reply.status).toBe(wasSwept ? 410 : 200);
    if (wasSwept) expect(reply.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
    await expectEnded(uid, wasSwept ? 'refunded' : 'succeeded');
  });

  it('a process finishes and answers after SIGTERM', async () => {
    const uid = `term-${name}`;
    const { server, answer, release } = await pauseAt(at, uid);
    server.signal('SIGTERM');
    release();
    expect(await answer).toMatchObject({ status: 200, body: { receipt: { charged: 1, refunded: 0 } } });
    expect(await server.ended).toEqual({ code: 0, signal: null });
    await expectEnded(uid, 'succeeded');
  });
});
