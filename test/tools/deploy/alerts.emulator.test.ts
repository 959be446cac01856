/** Each alert's filter matches the line that its fault really logs, and no line while everything works. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cloudinaryFault } from '../../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { alerts } from '../../../tools/deploy/alerts.ts';
import { findFiredAlerts } from '../../support/alertFilter.ts';
import { onePixelPng } from '../../support/pictures.ts';
import { runJob } from '../../support/scheduler.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const model = 'gemini-2.5-flash-image';
const picture = {
  mimeType: 'image/png' as const,
  width: 1,
  height: 1,
  chunks: [onePixelPng],
  bytes: onePixelPng.length,
  model,
};
/** The alerts on scheduled jobs, each with its function. */
const jobAlerts: [id: string, job: string][] = [
  ['sweep-stopped', 'sweepHolds'],
  ['quota-check-stopped', 'checkQuota'],
  ['refill-stopped', 'refillAllowances'],
  ['reconcile-stopped', 'reconcile'],
];
const realFetch = globalThis.fetch;
let stack: Stack;
/** A new server for each test, because a server remembers the models' states and the day's spend. */
let servers: { url: string; close: () => Promise<void> }[] = [];

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  await stack.erase(`quota/${model}`);
  stack.gemini.always(geminiFault.blank());
  stack.cloudinary.always(undefined);
  stack.logs.length = 0;
});

async function startServer(...args: Parameters<Stack['startServer']>): Promise<string> {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server.url;
}
async function generate(...args: Parameters<Stack['startServer']>) {
  const url = await startServer(...args);
  const user = await stack.newUser();
  return { user, url, reply: await user.generate('key', {}, url) };
}

const getFiredAlerts = () => findFiredAlerts(alerts, stack.logs);

/** Causes the fault of each alert. */
const provoke: Record<string, () => Promise<unknown>> = {
  errors: () => generate({}, { imageGenerator: () => Promise.reject(new Error('a mistake of ours')) }),
  async failures() {
    stack.gemini.always(geminiFault.internal());
    await generate();
  },
  async slow() {
    const { clock, advance } = virtualClock();
    const imageGenerator = async () => {
      advance(95_000);
      return { ...picture, providerCostMicros: 0 };
    };
    await generate({}, { clock, imageGenerator });
  },
  async refunds() {
    stack.gemini.always(geminiFault.textOnly());
    await generate();
  },
  async 'holds-overdue'() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const imageGenerator = () => promise.then(() => ({ ...picture, providerCostMicros: 0 }));
    const user = await stack.newUser();
    const url = await startServer({}, { imageGenerator });
    const answer = user.generate('key', {}, url);
    const heldGeneration = await vi.waitFor(async () => {
      const [generation] = (await stack.ledger(user.uid)).generations;
      expect(generation).toBeDefined();
      return generation;
    });
    await stack.edit(`accounts/${user.uid}/generations/${heldGeneration?.id}`, { deadline: new Date(0) });
    await runJob(stack, 'sweepHolds');
    resolve();
    await answer;
  },
  ...Object.fromEntries(jobAlerts.map(([id, job]) => [id, () => runJob(stack, job)])),
  async 'auth-unavailable'() {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) =>
      String(url).startsWith('http://metadata.google.internal/')
        ? Promise.reject(new TypeError('fetch failed'))
        : realFetch(url, init),
    );
    const headers = { authorization: `Bearer ${await stack.tokenFor('the-admin', { admin: true })}` };
    await stack.fetch('audit', { headers });
    vi.unstubAllGlobals();
  },
  async outbox() {
    const { user, reply } = await generate();
    stack.cloudinary.always(cloudinaryFault.error(500));
    await user.post('deleteGeneration', { id: reply.body.generation.id });
  },
  async 'quota-gone'() {
    stack.gemini.always(geminiFault.perDay());
    await generate();
  },
  async 'billing-stopped'() {
    stack.gemini.always(geminiFault.limitZero());
    await generate();
  },
  async 'model-retired'() {
    stack.gemini.always(geminiFault.notFound());
    await generate();
  },
  'spend-ceiling': () => generate({ MAX_SPEND_PER_DAY_USD: '0' }),
  async 'account-broken'() {
    const { user } = await generate();
    await stack.edit(`accounts/${user.uid}`, { settled: 99, balance: 99 });
    await runJob(stack, 'reconcile');
    await stack.edit(`accounts/${user.uid}`, { settled: 9, balance: 9 });
  },
  async closings() {
    const createdAt = new Date(0);
    const closure = { status: 'closing', cause: 'user', step: 'user', after: null };
    await stack.edit('closures/late', { ...closure, createdAt, updatedAt: createdAt });
    await runJob(stack, 'sweepHolds');
  },
  async 'erasure-log'() {
    await stack.edit('erasures/closing:lost', { kind: 'closing', uid: 'lost', at: new Date() });
    // A folder below a file cannot be written to.
    const url = await startServer({ ERASURE_LOG_BUCKET: 'file:///dev/null/log' });
    await runJob(stack, 'sweepHolds', { url });
    await stack.erase('erasures/closing:lost');
  },
  async 'balance-invalid'() {
    const { user } = await generate();
    await stack.edit(`accounts/${user.uid}`, { balance: 'ten' });
    await runJob(stack, 'reconcile');
    await stack.edit(`accounts/${user.uid}`, { balance: 9 });
  },
};

describe('an alert', () => {
  it.each(alerts.map(({ id }) => id))('%s fires at its fault', async (id) => {
    await provoke[id]?.();
    expect(getFiredAlerts()).toContain(id);
  });

  it('does not fire while everything works; only finished jobs are seen', async () => {
    const { user } = await generate();
    for (const name of ['account', 'ledger', 'gallery', 'health']) await user.get(name);
    await user.generate('key', { tier: 'nonsense' });
    await (await stack.user('poor', 0)).generate('key');
    for (const name of ['sweepHolds', 'reconcile', 'checkQuota', 'refillAllowances'])
      await runJob(stack, name);
    expect(getFiredAlerts()).toEqual(jobAlerts.map(([id]) => id));
  });
});
