/**
 * Two server processes on one account. The wait of a call for its hold is measured from outside: from the moment
 * the client sends the call until the image model gets its request. That includes the check of the caller, the queue
 * for the account, the read and the commit, but not the image. So the measured wait is never too short.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../../support/invariants.ts';
import { type ServerProcess, startServerProcesses } from '../../support/serverProcess.ts';
import { type Stack, startStack } from '../../support/stack.ts';

/** Longest wait for a hold, milliseconds. On a busy machine it grows with the duration of a single call. */
const holdMsMax = 3_000;
/** How many single calls, one after another, fit into `holdMsMax` on the 2 cores for which it was chosen. */
const callsInHoldMs = 75;
let waitMsMax = holdMsMax;
let stack: Stack;
let processes: Awaited<ReturnType<typeof startServerProcesses>>;
let servers: ServerProcess[];

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
  processes = await startServerProcesses(stack);
  const unlimited = { MAX_IN_FLIGHT_PER_USER: '1000', MAX_PER_MINUTE_PER_USER: '10000' };
  servers = await Promise.all([processes.start(unlimited), processes.start(unlimited)]);
  // Generate an image on each first, so that no cold start is measured.
  await stack.user('warm', 2);
  for (const [i, server] of servers.entries()) {
    expect((await generate(server, 'warm', `warm ${i}`)).status).toBe(200);
  }
  await stack.user('alone', 9);
  const alone: number[] = [];
  for (let i = 0; i < 9; i++) {
    const { sentAt, endedAt } = await generate(servers[0] as ServerProcess, 'alone', `alone ${i}`);
    alone.push(endedAt - sentAt);
  }
  waitMsMax = Math.max(holdMsMax, callsInHoldMs * (alone.sort((a, b) => a - b)[4] ?? 0));
});
afterAll(async () => {
  await processes.close();
  await stack.close();
});

async function generate({ url }: ServerProcess, uid: string, prompt: string) {
  const sentAt = Date.now();
  const response = await fetch(`${url}/generate`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${processes.tokenFor(uid)}`,
      'content-type': 'application/json',
      'idempotency-key': prompt,
    },
    body: JSON.stringify({ prompt, tier: 'standard' }),
  });
  return { status: response.status, body: await response.json(), prompt, sentAt, endedAt: Date.now() };
}

/** Fifty calls at once, alternating between the processes. */
const fifty = (uid: string) =>
  Promise.all(
    Array.from({ length: 50 }, (_, i) => generate(servers[i % 2] as ServerProcess, uid, `${uid} ${i}`)),
  );

/** When the image model got the request for each prompt. */
function getRequestTimes(): Map<string, number> {
  return new Map(
    stack.gemini.requests.map(({ body, at }) => {
      const { contents } = body as { contents: { parts: { text: string }[] }[] };
      return [contents[0]?.parts[0]?.text ?? '', at];
    }),
  );
}

function report(what: string, milliseconds: number[]) {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(`${what}: slowest ${sorted.at(-1)} ms, median ${middle} ms, of ${sorted.length}\n`);
}

describe('50 calls at once on one account, over two processes', () => {
  it('all succeed with enough credits, and none waits more than 3 s for its hold', async () => {
    await stack.user('rich', 60);
    const answers = await fifty('rich');
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));

    const requestTimes = getRequestTimes();
    const waits = answers.map(({ prompt, sentAt }) => (requestTimes.get(prompt) ?? Number.NaN) - sentAt);
    report('From sending to the model request', waits);
    report(
      'From sending to the answer',
      answers.map(({ sentAt, endedAt }) => endedAt - sentAt),
    );
    expect(waits.filter((wait) => !(wait <= waitMsMax))).toEqual([]);

    const balances = answers.map(({ body }) => body.receipt.balance).sort((a, b) => a - b);
    expect(balances).toEqual(Array.from({ length: 50 }, (_, i) => i + 10));
    expect((await stack.ledger('rich')).account).toMatchObject({ balance: 10, settled: 10, sequence: 51 });
    expect(await brokenInvariants(stack, 'rich')).toEqual([]);
    expect(await strayImages(stack, ['rich', 'warm', 'alone'])).toEqual([]);
  });

  it('give exactly 25 images and 25 refusals with 25 credits', async () => {
    await stack.user('poor', 25);
    const answers = await fifty('poor');
    const refused = answers.filter(({ status }) => status === 402);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(25);
    expect(refused).toHaveLength(25);
    for (const { body } of refused) {
      expect(body.error.details[0]).toMatchObject({
        reason: 'INSUFFICIENT_CREDITS',
        metadata: { required: '1', balance: '0' },
      });
      expect(body).not.toHaveProperty('receipt');
    }
    report(
      'From sending to the answer',
      answers.map(({ sentAt, endedAt }) => endedAt - sentAt),
    );
    expect((await stack.ledger('poor')).account).toMatchObject({ balance: 0, settled: 0, sequence: 26 });
    // Only debited images were generated.
    const prompts = [...getRequestTimes().keys()].filter((prompt) => prompt.startsWith('poor '));
    expect(prompts).toHaveLength(25);
    expect(await brokenInvariants(stack, 'poor')).toEqual([]);
  });

  it('give one image and one debit under one key', async () => {
    await stack.user('same', 25);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => generate(servers[i % 2] as ServerProcess, 'same', 'the same')),
    );
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect((await stack.ledger('same')).account).toMatchObject({ balance: 24, settled: 24, sequence: 2 });
    const again = await Promise.all(servers.map((server) => generate(server, 'same', 'the same')));
    expect(again.map(({ status }) => status)).toEqual([200, 200]);
    expect(again[0]?.body).toEqual(again[1]?.body);
    expect(await brokenInvariants(stack, 'same')).toEqual([]);
  });
});
