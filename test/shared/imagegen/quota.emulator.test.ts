/** How long a model is left alone, who reads its state, and what stops a wait at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { createLog } from '../../../shared/core/log.ts';
import { createRetryCommit } from '../../../shared/database/retryCommit.ts';
import { Failure, type ProviderFailure } from '../../../shared/errors.ts';
import { createModelFallback } from '../../../shared/imagegen/modelFallback.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import { createQuota } from '../../../shared/imagegen/quota.ts';
import { countingDatabase } from '../../support/countingDatabase.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const id = 'gemini-2.5-flash-image';
const log = createLog(() => {});
const minuteMs = 60_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(() => stack.erase(`quota/${id}`));

function quotaAt(startsAt?: number) {
  const time = virtualClock(startsAt === undefined ? {} : { startsAt });
  const counted = countingDatabase(stack.database);
  const { clock } = time;
  const options = {
    database: counted.database,
    retryCommit: createRetryCommit(clock),
    clock,
    log,
    modelIds: [id],
  };
  return { quota: createQuota(options), time, counted };
}

describe('a model is left alone', () => {
  it('without billing for a quarter of an hour, then twice as long each time, up to 6 hours', async () => {
    const { quota, time } = quotaAt();
    const waits: number[] = [];
    for (let failures = 1; failures <= 7; failures += 1) {
      await quota.recordFailure(id, { kind: 'billing' });
      const { retryAt } = (await stack.document(`quota/${id}`)) as { retryAt: Date };
      const wait = retryAt.getTime() - time.clock.now();
      waits.push(wait / minuteMs);
      expect(quota.usable([id], retryAt.getTime() - 1)).toEqual([]);
      expect(quota.usable([id], retryAt.getTime())).toEqual([id]);
      time.advance(wait);
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 360, 360]);
    await quota.recordSuccess(id);
    await quota.recordFailure(id, { kind: 'billing' });
    const { retryAt } = (await stack.document(`quota/${id}`)) as { retryAt: Date };
    expect(retryAt.getTime() - time.clock.now()).toBe(15 * minuteMs);
  });

  it.each([
    ['day', '2026-07-01T12:00:00Z', '2026-07-02T07:00:00Z'],
    ['day', '2026-12-01T12:00:00Z', '2026-12-02T08:00:00Z'],
    ['day', '2026-07-01T06:59:59Z', '2026-07-01T07:00:00Z'],
    ['retired', '2026-07-01T12:00:00Z', '2026-07-02T12:00:00Z'],
  ] as const)('%s at %s: until %s', async (kind, now, until) => {
    const { quota } = quotaAt(Date.parse(now));
    await quota.recordFailure(id, { kind, retryAfterMs: 1_000 });
    expect(await stack.document(`quota/${id}`)).toMatchObject({
      state: 'exhausted',
      retryAt: new Date(until),
    });
  });

  it.each<ProviderFailure['kind']>(['minute', 'overloaded', 'passing', 'final'])(
    'for %s nothing is written or read',
    async (kind) => {
      const { quota, counted } = quotaAt();
      await quota.recordFailure(id, { kind });
      expect(counted.trips).toEqual([]);
    },
  );

  it('a minute where a limit per minute does not say for how long', async () => {
    const { quota, time } = quotaAt();
    await quota.recordFailure(id, { kind: 'minute' });
    expect(quota.refusal([id], time.clock.now())).toMatchObject({
      reason: 'PROVIDER_QUOTA',
      details: { retryAfterSeconds: 60 },
    });
    expect(quota.usable([id], time.clock.now() + minuteMs)).toEqual([id]);
  });
});

describe('the states are read', () => {
  const reading = (quota: ReturnType<typeof quotaAt>['quota'], reads: (readonly string[])[]) =>
    quota.readAlong(async (paths) => {
      reads.push(paths);
      const { documents } = await stack.database.read(['quota/all', ...paths]);
      return { result: undefined, states: documents.slice(1) };
    });

  it('once by twenty who ask in the very same moment', async () => {
    const { quota } = quotaAt();
    const reads: (readonly string[])[] = [];
    await Promise.all(Array.from({ length: 20 }, () => reading(quota, reads)));
    expect(reads.filter((paths) => paths.length > 0)).toEqual([['quota/all', `quota/${id}`]]);
    expect(reads).toHaveLength(20);
  });

  it('and what is learnt during a read is not forgotten when it ends', async () => {
    const { quota, time } = quotaAt();
    const { promise, resolve } = Promise.withResolvers<void>();
    const reading = quota.readAlong(async (paths) => {
      const { documents } = await stack.database.read(paths);
      await promise;
      return { result: undefined, states: documents };
    });
    await quota.recordFailure(id, { kind: 'day' });
    resolve();
    await reading;
    expect(quota.usable([id], time.clock.now())).toEqual([]);
  });

  it('by the next, where the first one failed', async () => {
    const { quota } = quotaAt();
    const reads: (readonly string[])[] = [];
    const failing = quota.readAlong(() => Promise.reject(new Error('no')));
    const others = Promise.all(Array.from({ length: 20 }, () => reading(quota, reads)));
    await expect(failing).rejects.toThrow('no');
    await others;
    expect(reads.filter((paths) => paths.length > 0)).toHaveLength(1);
  });
});

it.each<[string, Record<string, unknown>]>([
  ['a state that is none', { state: 'banana' }],
  ['a state that is a number', { state: 7 }],
  ['attempts that are no number', { state: 'ready', attempts: 'many' }],
  ['a time that is a text', { state: 'ready', retryAt: 'tomorrow' }],
])('%s, typed in the console, keeps no model from painting', async (_, fields) => {
  await stack.edit(`quota/${id}`, fields);
  const { quota, time } = quotaAt();
  await quota.readAlong(async (paths) => ({
    result: undefined,
    states: (await stack.database.read(paths)).documents,
  }));
  expect(quota.usable([id], time.clock.now())).toEqual([id]);
});

describe('a wait ends at once', () => {
  const request = { prompt: 'A banana', aspectRatio: '1:1', references: [] } as const;
  const failing = {
    generateImage: () =>
      Promise.reject(new Failure('PROVIDER_ERROR', 'No.', { providerFailure: { kind: 'passing' } })),
  };

  it('when the process is told to end, with its reason, and the model is not asked again', async () => {
    const { quota } = quotaAt();
    const end = new AbortController();
    const reason = new Failure('SHUTTING_DOWN', 'Bye.');
    let calls = 0;
    const generateImage = createModelFallback({
      gemini: {
        generateImage() {
          calls += 1;
          queueMicrotask(() => setImmediate(() => end.abort(reason)));
          return failing.generateImage();
        },
      },
      quota,
      models: [imageModel(id)],
      retry: { attempts: 3, baseDelayMs: 60_000 },
      clock: { ...systemClock, random: () => 0.9 },
      log,
    });
    await expect(generateImage(request, 120_000, end.signal)).rejects.toMatchObject({
      reason: 'SHUTTING_DOWN',
    });
    expect(calls).toBe(1);
  });

  it.each([
    ['an image that broke off before, and none of the wait', false, 39_000],
    ['that one and the image that was being painted', true, 78_000],
  ])('and what Google bills is known all the same: %s', async (_, inPaint, providerCostMicros) => {
    const { quota } = quotaAt();
    const end = new AbortController();
    const abort = () => end.abort(new Failure('SHUTTING_DOWN', 'Bye.'));
    const brokeOff = new Failure('PROVIDER_ERROR', 'No.', {
      providerFailure: { kind: 'passing', mayBeBilled: true },
      providerCostMicros: 39_000,
    });
    let calls = 0;
    const generateImage = createModelFallback({
      gemini: {
        async generateImage() {
          calls += 1;
          if (calls === 1) throw brokeOff;
          abort();
          throw end.signal.reason;
        },
      },
      quota,
      models: [imageModel(id)],
      retry: { attempts: 3, baseDelayMs: 1 },
      clock: {
        ...systemClock,
        async pause() {
          if (!inPaint) abort();
          end.signal.throwIfAborted();
        },
      },
      log,
    });
    await expect(generateImage(request, 120_000, end.signal)).rejects.toMatchObject({
      reason: 'SHUTTING_DOWN',
      details: { providerCostMicros },
    });
  });

  it('of the machine itself, with the reason of the signal', async () => {
    const end = new AbortController();
    const wait = systemClock.pause(3_600_000, end.signal);
    end.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
  });
});
