/** Scheduled jobs: one account or model that fails stops none of them, and a complete run says so in the log. */
import { expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { jobTimeoutMs } from '../../../shared/database/jobs.ts';
import type { StripeApi } from '../../../shared/payments/stripe.ts';
import type { Session } from '../../../shared/payments/stripeObjects.ts';
import { createMemoryServices } from '../../support/memoryServices.ts';
import type { Hooks } from '../../support/watchedDatabase.ts';

type World = ReturnType<typeof createMemoryServices>;

const past = new Date('2025-01-01T00:00:00Z');
const today = new Date('2026-01-01T00:00:00Z');
const [first, second] = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1'];
const env = {
  ALLOWANCE_CREDITS: '5',
  ALLOWANCE_PERIOD: 'day',
  IMAGEGEN_MODEL_ID: first as string,
  IMAGEGEN_FALLBACK_MODEL_IDS: second as string,
  STRIPE_SECRET_KEY: 'sk_test_of_the_jobs',
};
/** Stripe with a paid session of each of two users, and nothing else. */
const paidSession = (uid: string): Session => ({
  id: `cs_${uid}`,
  status: 'complete',
  payment_status: 'paid',
  metadata: { project: 'demo-memory', uid, pack: 'p', credits: '7', amount: '500', currency: 'usd' },
  amount_total: 500,
  currency: 'usd',
  created: Date.parse('2026-01-01T00:00:00Z') / 1_000,
  payment_intent: `pi_${uid}`,
});
const sessions = [paidSession('ann'), paidSession('bob')];
const none = async () => ({ items: [], hasMore: false });
const stripe = {
  listSessions: async () => ({ items: sessions, hasMore: false }),
  listRefunds: none,
  listDisputes: none,
  listEvents: none,
  findSession: async (id) => sessions.find((session) => session.id === id),
} satisfies Partial<StripeApi> as Partial<StripeApi> as StripeApi;

const read = ({ store }: World, path: string) => store.read([path]).documents[0]?.data;
const outboxItem = (generationId: string) => {
  const times = { createdAt: past, dueAt: past, until: past };
  return { uid: 'ann', generationId, publicId: generationId, ...times };
};

/** What each job finds: something that fails, and something that it still does. */
const jobs: Record<
  string,
  { documents: Record<string, object>; failing: string; expectDone: (world: World) => void }
> = {
  sweepHolds: {
    documents: {
      'outbox/broken': { ...outboxItem('broken'), publicId: 7 },
      'outbox/failing': outboxItem('failing'),
      'outbox/sound': outboxItem('sound'),
    },
    failing: 'outbox/failing',
    expectDone: (world) => expect(read(world, 'outbox/sound')).toBeUndefined(),
  },
  checkQuota: {
    documents: {
      [`quota/${first}`]: { state: 'exhausted', retryAt: past, attempts: 0 },
      [`quota/${second}`]: { state: 'exhausted', retryAt: past, attempts: 0 },
    },
    failing: `quota/${first}`,
    expectDone: (world) => expect(read(world, `quota/${second}`)).toMatchObject({ state: 'ready' }),
  },
  refillAllowances: {
    documents: {
      'accounts/ann': { balance: 0, settled: 0, sequence: 0, usedAt: today },
      'accounts/bob': { balance: 0, settled: 0, sequence: 0, usedAt: today },
    },
    failing: 'accounts/ann',
    expectDone: (world) => expect(read(world, 'accounts/bob')).toMatchObject({ balance: 5 }),
  },
  reconcilePayments: {
    documents: { 'accounts/ann': { balance: 0 }, 'accounts/bob': { balance: 0 } },
    failing: 'accounts/ann',
    expectDone: (world) => expect(read(world, 'accounts/bob')).toMatchObject({ balance: 7, settled: 7 }),
  },
  reconcile: {
    documents: { 'accounts/ann': { balance: 7 }, 'accounts/bob': { balance: 7 } },
    failing: 'accounts/ann',
    expectDone: (world) => expect(read(world, 'accounts/bob')).toMatchObject({ balance: 7, settled: 7 }),
  },
};

it('every scheduled function is tested here', async () => {
  const scheduled: string[] = [];
  for (const [name, module] of Object.entries(functions)) {
    if (typeof module === 'function' && (await module()).spec.access === 'scheduler') scheduled.push(name);
  }
  expect(Object.keys(jobs).sort()).toEqual(scheduled.sort());
});

/** Runs a job while no commit of one document succeeds. */
async function runJob(name: string, { beforePage }: { beforePage?: (world: World) => void } = {}) {
  const { documents = {}, failing = '' } = jobs[name] ?? {};
  const hooks: Hooks = {
    beforeCommit(writes) {
      const isFailing = writes.some((write) => Object.values(write).includes(failing));
      if (isFailing) throw Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 });
    },
  };
  const world: World = createMemoryServices({ env, hooks, stripe, beforePage: () => beforePage?.(world) });
  world.store.commit(Object.entries(documents).map(([path, data]) => ({ create: path, data: { ...data } })));
  const { status } = await world.call(name, { as: 'scheduler', body: {} });
  expect(status).toBe(200);
  return { world, line: world.lines.find((one) => one.function === name) };
}

it.each(Object.keys(jobs))(
  '%s goes on with the others if one fails, and says that it has finished',
  async (name) => {
    const { world, line } = await runJob(name);
    jobs[name]?.expectDone(world);
    expect(world.lines).toContainEqual(expect.objectContaining({ severity: 'ERROR' }));
    expect(line).toMatchObject({ outcome: 'ok', event: 'job_finished' });
  },
);

it.each(Object.keys(jobs).filter((name) => name !== 'checkQuota'))(
  '%s does not say so if its time was over first',
  async (name) => {
    const { line } = await runJob(name, { beforePage: (world) => world.advance(jobTimeoutMs) });
    expect(line).toMatchObject({ outcome: 'ok' });
    expect(line).not.toHaveProperty('event');
  },
);
