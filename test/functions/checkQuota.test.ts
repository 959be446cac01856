/** What is due is opened again, once; what an operator has set off stays off; and every change is told. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { getRefusal } from '../support/replies.ts';
import { refusedCallers, runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second, third] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
] as const;
const [past, future] = [new Date('2020-01-01T00:00:00Z'), new Date('2120-01-01T00:00:00Z')];
const warning = `${first} may be gone since 2026-10-02; use ${second}`;

let stack: Stack;
beforeAll(async () => {
  const { clock } = virtualClock({ startsAt: Date.parse('2026-11-22T12:00:00Z') });
  const env = { ...schedulerEnv, IMAGEGEN_FALLBACK_MODEL_IDS: `${second},${third}` };
  stack = await startStack(env, { clock });
});
afterAll(() => stack.close());
beforeEach(async () => {
  await stack.database.commit(['all', first, second, third].map((id) => ({ delete: `quota/${id}` })));
  stack.logs.length = 0;
});

const set = (id: string, state: string, more: object = {}) =>
  stack.edit(`quota/${id}`, { state, reason: undefined, retryAt: undefined, ...more });
const stateOf = (id: string) => stack.document(`quota/${id}`);
const modelsOf = async (url?: string) => (await runJob(stack, 'checkQuota', url ? { url } : {})).body.models;
const transitions = () => stack.logs.filter(({ message }) => message === 'A model changed its state');

it('where nothing is known every model is ready, and nothing is written', async () => {
  const { status, body } = await runJob(stack, 'checkQuota');
  expect(status).toBe(200);
  expect(body).toEqual({
    models: [first, second, third].map((id) => ({ id, state: 'ready' })),
    warnings: [warning],
  });
  expect(await stateOf(first)).toBeUndefined();
  expect(transitions()).toEqual([]);
});

it('opens what is due, leaves the rest, and tells of each', async () => {
  await set(first, 'exhausted', { reason: 'daily quota', retryAt: past });
  await set(second, 'exhausted', { reason: 'billing', retryAt: future });
  await set(third, 'off', { reason: 'too dear', retryAt: past });
  expect(await modelsOf()).toEqual([
    { id: first, state: 'ready' },
    { id: second, state: 'exhausted', reason: 'billing', retryAt: future.toISOString() },
    { id: third, state: 'off', reason: 'too dear', retryAt: past.toISOString() },
  ]);
  const opened = await stateOf(first);
  expect(opened).toMatchObject({ state: 'ready' });
  expect(opened).not.toHaveProperty('reason');
  expect(opened).not.toHaveProperty('retryAt');
  expect(await stateOf(second)).toEqual({ state: 'exhausted', reason: 'billing', retryAt: future });
  expect(await stateOf(third)).toEqual({ state: 'off', reason: 'too dear', retryAt: past });
  expect(transitions()).toMatchObject([
    { severity: 'WARNING', model: first, from: 'exhausted', to: 'ready' },
  ]);
});

it('leaves alone what nobody has said a time for', async () => {
  await set(first, 'exhausted', { reason: 'by hand' });
  expect((await modelsOf())[0]).toEqual({ id: first, state: 'exhausted', reason: 'by hand' });
  expect(await stateOf(first)).toEqual({ state: 'exhausted', reason: 'by hand' });
});

describe('the state of all', () => {
  it.each(['Off', ' OFF '])('is off however a person types it: %j', async (state) => {
    await set('all', state);
    expect((await modelsOf())[0]).toEqual({ id: 'all', state: 'off' });
  });

  it('is told where it is off, and stays off', async () => {
    await set('all', 'off');
    expect((await modelsOf())[0]).toEqual({ id: 'all', state: 'off' });
    expect(await stateOf('all')).toEqual({ state: 'off' });
  });

  it('is opened as any other', async () => {
    await set('all', 'exhausted', { retryAt: past });
    expect((await modelsOf()).map(({ id }: { id: string }) => id)).toEqual([first, second, third]);
    expect(await stateOf('all')).toMatchObject({ state: 'ready' });
    expect(transitions()).toMatchObject([{ model: 'all' }]);
  });
});

it('a second call changes nothing', async () => {
  await set(first, 'exhausted', { retryAt: past });
  const models = await modelsOf();
  const after = await stateOf(first);
  expect(await modelsOf()).toEqual(models);
  expect(await stateOf(first)).toEqual(after);
  expect(transitions()).toHaveLength(1);
});

it('of many calls at once, on two servers, one opens and tells of it', async () => {
  const other = await stack.startServer();
  for (const id of [first, second]) await set(id, 'exhausted', { retryAt: past });
  const calls = Array.from({ length: 10 }, (_, i) => modelsOf(i % 2 ? other.url : stack.url));
  for (const models of await Promise.all(calls)) {
    expect(models).toEqual([first, second, third].map((id) => ({ id, state: 'ready' })));
  }
  expect(transitions().map(({ model }) => model)).toEqual(expect.arrayContaining([first, second]));
  expect(transitions()).toHaveLength(2);
  await other.close();
});

it('what is found exhausted anew, or set off, while it looks, is not opened', async () => {
  const news: Record<string, () => Promise<unknown>> = {
    [first]: () => set(first, 'exhausted', { reason: 'daily quota', retryAt: future }),
    [second]: () => set(second, 'off'),
  };
  const server = await stack.startServer(
    {},
    {
      database: {
        ...stack.database,
        close: async () => {},
        async read(paths) {
          const found = await stack.database.read(paths);
          if (paths.length > 1) for (const happen of Object.values(news)) await happen();
          return found;
        },
      },
    },
  );
  for (const id of [first, second]) await set(id, 'exhausted', { retryAt: past });
  expect(await modelsOf(server.url)).toEqual([
    { id: first, state: 'exhausted', reason: 'daily quota', retryAt: future.toISOString() },
    { id: second, state: 'off' },
    { id: third, state: 'ready' },
  ]);
  expect(transitions()).toEqual([]);
  await server.close();
});

it('a model without billing that is opened and fails again is left alone for longer', async () => {
  await set(first, 'exhausted', { reason: 'billing', retryAt: past, attempts: 3 });
  await modelsOf();
  expect(await stateOf(first)).toMatchObject({ state: 'ready', attempts: 3 });
  const startsAt = Date.now();
  const server = await stack.startServer({}, { clock: virtualClock({ startsAt }).clock });
  stack.gemini.script({ ...geminiFault.limitZero(), model: first });
  const user = await stack.user('payer', 10);
  expect((await user.generate('key', {}, server.url)).body.generation.model).toBe(second);
  expect(await stateOf(first)).toMatchObject({
    state: 'exhausted',
    attempts: 4,
    retryAt: new Date(startsAt + 2 * 3_600_000),
  });
  await server.close();
});

it('the warnings are logged, and are those of health', async () => {
  await modelsOf();
  expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'WARNING', message: warning }));
  expect((await stack.fetch('health')).body.warnings).toContain(warning);
});

describe('only the scheduler', () => {
  it('may call it', async () => {
    expect((await runJob(stack, 'checkQuota', { token: await schedulerToken(stack) })).status).toBe(200);
    await set(first, 'exhausted', { retryAt: past });
    for (const [who, token, status] of await refusedCallers(stack)) {
      const refused = getRefusal(await runJob(stack, 'checkQuota', { token }));
      expect([who, ...refused]).toEqual([who, status, status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN']);
    }
    expect(await stateOf(first)).toEqual({ state: 'exhausted', retryAt: past });
  });
});
