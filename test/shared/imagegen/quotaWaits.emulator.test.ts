/** For how long a model is closed or avoided, for this instance or for all, by what its failure means. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import { createRetryCommit } from '../../../shared/database/retryCommit.ts';
import { createQuota, type Quota } from '../../../shared/imagegen/quota.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const [first, second] = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1'] as const;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let stack: Stack;
let time: ReturnType<typeof virtualClock>;
const lines: string[] = [];
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  time = virtualClock();
  lines.length = 0;
  await stack.database.commit(['all', first, second].map((id) => ({ delete: `quota/${id}` })));
});

/** Another instance, on the same clock. */
function startInstance(modelIds: readonly string[] = [first, second]): Quota {
  const { database } = stack;
  const { clock } = time;
  const log = createLog((line) => lines.push(line));
  return createQuota({ database, retryCommit: createRetryCommit(clock), clock, log, modelIds });
}
async function readStates(quota: Quota): Promise<void> {
  const { paths, learn } = quota.statesToRead();
  const { documents } = await stack.database.read(paths);
  learn(new Map(paths.map((path, i) => [path, documents[i]])));
}
const usable = (quota: Quota, afterMs = 0) => quota.filterUsable([first, second], time.clock.now() + afterMs);
const stateOf = (id: string) => stack.document(`quota/${id}`);
const waitOf = async (id: string) =>
  ((await stateOf(id)) as { retryAt: Date }).retryAt.getTime() - time.clock.now();

describe('a model that Google does not know', () => {
  it('is closed for 5 minutes, then for twice as long each time, up to a day', async () => {
    const quota = startInstance();
    const waits: number[] = [];
    for (let failures = 1; failures <= 11; failures += 1) {
      await quota.recordFailure(first, { kind: 'retired' });
      const wait = await waitOf(first);
      waits.push(wait / minuteMs);
      time.advance(wait);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
    expect(await stateOf(first)).toMatchObject({ state: 'exhausted', reason: 'retired', attempts: 11 });
  });

  it('is closed for 5 minutes again after it has answered', async () => {
    const quota = startInstance();
    await quota.recordFailure(first, { kind: 'retired' });
    time.advance(5 * minuteMs);
    await quota.recordSuccess(first);
    await quota.recordFailure(first, { kind: 'retired' });
    expect(await waitOf(first)).toBe(5 * minuteMs);
  });

  it('is closed for longer although checkQuota has opened it', async () => {
    const quota = startInstance();
    await quota.recordFailure(first, { kind: 'retired' });
    // The database's clock decides what is due.
    await stack.edit(`quota/${first}`, { retryAt: new Date(0) });
    expect((await quota.reopenDue()).map(({ state }) => state.state)).toEqual(['ready', 'ready']);
    await quota.recordFailure(first, { kind: 'retired' });
    expect(await waitOf(first)).toBe(10 * minuteMs);
  });
});

describe('a cap of the whole project', () => {
  it('closes every model, and a success opens them', async () => {
    const quota = startInstance();
    await quota.recordFailure(first, { kind: 'billing', isWholeProject: true });
    expect(await stateOf('all')).toMatchObject({ state: 'exhausted', reason: 'billing', attempts: 1 });
    expect(await stateOf(first)).toBeUndefined();
    expect(usable(quota)).toEqual([]);
    expect(await waitOf('all')).toBe(15 * minuteMs);
    time.advance(15 * minuteMs);
    expect(usable(quota)).toEqual([first, second]);
    await quota.recordSuccess(second);
    expect(await stateOf('all')).toMatchObject({ state: 'ready', attempts: 0 });
  });
});

describe('a limit per minute', () => {
  it('that is longer than a minute is told to all instances', async () => {
    await startInstance().recordFailure(first, { kind: 'minute', retryAfterMs: 6 * hourMs });
    expect(await stateOf(first)).toMatchObject({ state: 'exhausted', reason: 'rate limit', attempts: 0 });
    const other = startInstance();
    await readStates(other);
    expect(usable(other)).toEqual([second]);
    expect(usable(other, 6 * hourMs)).toEqual([first, second]);
  });

  it('of up to a minute stays in the instance', async () => {
    const quota = startInstance();
    await quota.recordFailure(first, { kind: 'minute', retryAfterMs: minuteMs });
    expect(usable(quota)).toEqual([second]);
    expect(await stateOf(first)).toBeUndefined();
  });
});

describe('a silent model', () => {
  it('is asked last for a minute, by all instances, and stays usable', async () => {
    const [quota, other] = [startInstance(), startInstance()];
    await quota.recordFailure(first, { kind: 'silent' });
    await readStates(other);
    for (const each of [quota, other]) {
      expect(usable(each)).toEqual([second, first]);
      expect(each.filterUsable([first], time.clock.now())).toEqual([first]);
      expect(each.firstUsable([first, second], time.clock.now())).toBe(first);
      expect(each.refusal([first], time.clock.now())).toBeUndefined();
      expect(usable(each, minuteMs)).toEqual([first, second]);
    }
    expect(await stateOf(first)).toMatchObject({ state: 'ready', slowUntil: expect.any(Date) });
    expect(lines.join()).toContain('model_slow');
    expect(lines.join()).not.toContain('model_state_changed');
  });

  it('needs no write if no other model is configured, or if the console has closed it', async () => {
    await startInstance([first]).recordFailure(first, { kind: 'silent' });
    expect(await stateOf(first)).toBeUndefined();
    await stack.edit(`quota/${first}`, { state: 'off' });
    await startInstance().recordFailure(first, { kind: 'silent' });
    expect(await stateOf(first)).toEqual({ state: 'off' });
  });

  it('that fails in another way is closed', async () => {
    const quota = startInstance();
    await quota.recordFailure(first, { kind: 'silent' });
    await quota.recordFailure(first, { kind: 'day' });
    expect(usable(quota)).toEqual([second]);
    expect(await stateOf(first)).not.toHaveProperty('slowUntil');
  });

  it('is not preferred by text that an admin typed', async () => {
    await stack.edit(`quota/${first}`, { state: 'ready', slowUntil: 'tomorrow' });
    const quota = startInstance();
    await readStates(quota);
    expect(usable(quota)).toEqual([first, second]);
  });
});

it.each(['overloaded', 'passing'] as const)(
  'an %s model that names a wait is asked last for that time, by all instances if it is longer than a minute',
  async (kind) => {
    const quota = startInstance();
    await quota.recordFailure(first, { kind, retryAfterMs: 30_000 });
    expect(usable(quota)).toEqual([second, first]);
    expect(await stateOf(first)).toBeUndefined();
    await quota.recordFailure(first, { kind, retryAfterMs: hourMs });
    expect(await stateOf(first)).toMatchObject({ state: 'ready' });
    expect(usable(quota, hourMs - 1)).toEqual([second, first]);
    expect(usable(quota, hourMs)).toEqual([first, second]);
  },
);
