/** How long a model is not called after a failure, who reads its state, and what ends a wait. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { createLog } from '../../../shared/core/log.ts';
import { createRetryCommit } from '../../../shared/database/retryCommit.ts';
import { Failure, type ProviderFailure } from '../../../shared/errors.ts';
import { createModelFallback } from '../../../shared/imagegen/modelFallback.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import { createQuota, type Quota } from '../../../shared/imagegen/quota.ts';
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

describe('a failed model', () => {
  it('waits a quarter of an hour without billing, then twice as long each time, up to 6 hours', async () => {
    const { quota, time } = quotaAt();
    const waits: number[] = [];
    for (let failures = 1; failures <= 7; failures += 1) {
      await quota.recordFailure(id, { kind: 'billing' });
      const { retryAt } = (await stack.document(`quota/${id}`)) as { retryAt: Date };
      const wait = retryAt.getTime() - time.clock.now();
      waits.push(wait / minuteMs);
      expect(quota.filterUsable([id], retryAt.getTime() - 1)).toEqual([]);
      expect(quota.filterUsable([id], retryAt.getTime())).toEqual([id]);
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
    ['retired', '2026-07-01T12:00:00Z', '2026-07-01T12:05:00Z'],
  ] as const)('waits after a %s failure at %s until %s', async (kind, now, until) => {
    const { quota } = quotaAt(Date.parse(now));
    await quota.recordFailure(id, { kind, retryAfterMs: 1_000 });
    expect(await stack.document(`quota/${id}`)).toMatchObject({
      state: 'exhausted',
      retryAt: new Date(until),
    });
  });

  it.each<ProviderFailure['kind']>([
    'minute',
    'overloaded',
    'passing',
    'silent',
    'refused',
    'unusable',
    'final',
  ])('needs no read or write of its state after a %s failure', async (kind) => {
    const { quota, counted } = quotaAt();
    await quota.recordFailure(id, { kind });
    expect(counted.trips).toEqual([]);
  });

  it('waits a minute if a limit per minute names no time', async () => {
    const { quota, time } = quotaAt();
    await quota.recordFailure(id, { kind: 'minute' });
    expect(quota.refusal([id], time.clock.now())).toMatchObject({
      reason: 'PROVIDER_QUOTA',
      details: { retryAfterSeconds: 60 },
    });
    expect(quota.filterUsable([id], time.clock.now() + minuteMs)).toEqual([id]);
  });
});

/** Reads the states along with another document, as a hold does. Returns the paths of the states. */
async function readStates({ statesToRead }: Quota, meanwhile = async () => {}): Promise<readonly string[]> {
  const { paths, learn } = statesToRead();
  const all = ['accounts/ann', ...paths];
  const { documents } = await stack.database.read(all);
  await meanwhile();
  learn(new Map(all.map((path, i) => [path, documents[i]])));
  return paths;
}

describe('the states are read', () => {
  const statePaths = ['quota/all', `quota/${id}`];

  it('by every first caller, then once for twenty callers at the same moment, every 5 s', async () => {
    const { quota, time } = quotaAt();
    expect([await readStates(quota), await readStates(quota)]).toEqual([statePaths, []]);
    for (let round = 0; round < 2; round += 1) {
      time.advance(4_999);
      expect(await readStates(quota)).toEqual([]);
      time.advance(1);
      const reads = await Promise.all(Array.from({ length: 20 }, () => readStates(quota)));
      expect(reads.filter((paths) => paths.length > 0)).toEqual([statePaths]);
    }
    const first = quotaAt().quota;
    const reads = await Promise.all(Array.from({ length: 20 }, () => readStates(first)));
    expect(reads.filter((paths) => paths.length > 0)).toHaveLength(20);
  });

  it('without overwriting what this instance learned during the read', async () => {
    const { quota, time } = quotaAt();
    await readStates(quota, () => quota.recordFailure(id, { kind: 'day' }));
    expect(quota.filterUsable([id], time.clock.now())).toEqual([]);
  });

  it('without overwriting the result of a read that began later', async () => {
    const { quota, time } = quotaAt();
    await readStates(quota, async () => {
      await stack.edit(`quota/${id}`, { state: 'off' });
      await readStates(quota);
    });
    expect(quota.filterUsable([id], time.clock.now())).toEqual([]);
  });

  it('by another caller a second after a read that failed', async () => {
    const { quota, time } = quotaAt();
    await readStates(quota);
    time.advance(5_000);
    expect(quota.statesToRead().paths).toEqual(statePaths);
    time.advance(999);
    expect(await readStates(quota)).toEqual([]);
    time.advance(1);
    const reads = await Promise.all(Array.from({ length: 20 }, () => readStates(quota)));
    expect(reads.filter((paths) => paths.length > 0)).toEqual([statePaths]);
  });
});

it.each<[string, Record<string, unknown>, string[]]>([
  ['an unknown state: the model is off', { state: 'banana' }, []],
  ['a number as state: the model is off', { state: 7 }, []],
  ['text as attempts: the model stays usable', { state: 'ready', attempts: 'many' }, [id]],
  ['text as time: the model stays usable', { state: 'ready', retryAt: 'tomorrow' }, [id]],
])('typed in the console, %s', async (_, fields, usable) => {
  await stack.edit(`quota/${id}`, fields);
  const { quota, time } = quotaAt();
  await readStates(quota);
  expect(quota.filterUsable([id], time.clock.now())).toEqual(usable);
});

describe('a wait ends at once', () => {
  const request = { prompt: 'A banana', aspectRatio: '1:1', resolution: '1K', references: [] } as const;
  const failing = {
    generateImage: () =>
      Promise.reject(new Failure('PROVIDER_ERROR', 'No.', { providerFailure: { kind: 'passing' } })),
  };

  it('with the reason of a shutdown, and the model is not called again', async () => {
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
    ['for an image that broke off before the wait', false, 39_000],
    ['for that image and the one in progress', true, 78_000],
  ])('with the amount that Google bills: %s', async (_, isGenerating, providerCostMicros) => {
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
          if (!isGenerating) abort();
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

  it('on the system clock, with the reason of the signal', async () => {
    const end = new AbortController();
    const wait = systemClock.pause(3_600_000, end.signal);
    end.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
  });
});
