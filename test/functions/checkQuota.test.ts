/** checkQuota reopens models that are due, leaves those that an operator switched off, and logs every change. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { getRefusal } from '../support/replies.ts';
import { createRefusedCallers, runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second, third] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
] as const;
const [past, future] = [new Date('2020-01-01T00:00:00Z'), new Date('2120-01-01T00:00:00Z')];
const warning = `${first} may have been retired on 2026-10-02; set IMAGEGEN_MODEL_ID=${second}`;

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

const setState = (id: string, state: string, more: object = {}) =>
  stack.edit(`quota/${id}`, { state, reason: undefined, retryAt: undefined, ...more });
const getState = (id: string) => stack.document(`quota/${id}`);
const checkModels = async (url?: string) =>
  (await runJob(stack, 'checkQuota', url ? { url } : {})).body.models;
const findTransitions = () => stack.logs.filter(({ event }) => event === 'model_state_changed');

it('reports every model as ready and writes nothing if no state is stored', async () => {
  const { status, body } = await runJob(stack, 'checkQuota');
  expect(status).toBe(200);
  expect(body).toEqual({
    models: [first, second, third].map((id) => ({ id, state: 'ready' })),
    warnings: [warning],
  });
  expect(await getState(first)).toBeUndefined();
  expect(findTransitions()).toEqual([]);
});

it('reopens models that are due, leaves the others, and reports all', async () => {
  await setState(first, 'exhausted', { reason: 'daily quota', retryAt: past });
  await setState(second, 'exhausted', { reason: 'billing', retryAt: future });
  await setState(third, 'off', { reason: 'too dear', retryAt: past });
  expect(await checkModels()).toEqual([
    { id: first, state: 'ready' },
    { id: second, state: 'exhausted', reason: 'billing', retryAt: future.toISOString() },
    { id: third, state: 'off', reason: 'too dear', retryAt: past.toISOString() },
  ]);
  const opened = await getState(first);
  expect(opened).toMatchObject({ state: 'ready' });
  expect(opened).not.toHaveProperty('reason');
  expect(opened).not.toHaveProperty('retryAt');
  expect(await getState(second)).toEqual({ state: 'exhausted', reason: 'billing', retryAt: future });
  expect(await getState(third)).toEqual({ state: 'off', reason: 'too dear', retryAt: past });
  expect(findTransitions()).toMatchObject([
    { severity: 'WARNING', model: first, from: 'exhausted', to: 'ready' },
  ]);
});

it('leaves a model without a retry time as it is', async () => {
  await setState(first, 'exhausted', { reason: 'by hand' });
  expect((await checkModels())[0]).toEqual({ id: first, state: 'exhausted', reason: 'by hand' });
  expect(await getState(first)).toEqual({ state: 'exhausted', reason: 'by hand' });
});

describe('the state of all', () => {
  it.each(['Off', ' OFF '])('is off in any spelling: %j', async (state) => {
    await setState('all', state);
    expect((await checkModels())[0]).toEqual({ id: 'all', state: 'off' });
  });

  it('is reported if it is off, and stays off', async () => {
    await setState('all', 'off');
    expect((await checkModels())[0]).toEqual({ id: 'all', state: 'off' });
    expect(await getState('all')).toEqual({ state: 'off' });
  });

  it('is reopened like a model', async () => {
    await setState('all', 'exhausted', { retryAt: past });
    expect((await checkModels()).map(({ id }: { id: string }) => id)).toEqual([first, second, third]);
    expect(await getState('all')).toMatchObject({ state: 'ready' });
    expect(findTransitions()).toMatchObject([{ model: 'all' }]);
  });
});

it('a second call changes nothing', async () => {
  await setState(first, 'exhausted', { retryAt: past });
  const models = await checkModels();
  const after = await getState(first);
  expect(await checkModels()).toEqual(models);
  expect(await getState(first)).toEqual(after);
  expect(findTransitions()).toHaveLength(1);
});

it('reopens and logs once if many calls come at once on two servers', async () => {
  const other = await stack.startServer();
  for (const id of [first, second]) await setState(id, 'exhausted', { retryAt: past });
  const calls = Array.from({ length: 10 }, (_, i) => checkModels(i % 2 ? other.url : stack.url));
  for (const models of await Promise.all(calls)) {
    expect(models).toEqual([first, second, third].map((id) => ({ id, state: 'ready' })));
  }
  expect(findTransitions().map(({ model }) => model)).toEqual(expect.arrayContaining([first, second]));
  expect(findTransitions()).toHaveLength(2);
  await other.close();
});

it('does not reopen a model that is exhausted or switched off meanwhile', async () => {
  const changes: Record<string, () => Promise<unknown>> = {
    [first]: () => setState(first, 'exhausted', { reason: 'daily quota', retryAt: future }),
    [second]: () => setState(second, 'off'),
  };
  const server = await stack.startServer(
    {},
    {
      database: {
        ...stack.database,
        close: async () => {},
        async read(paths) {
          const found = await stack.database.read(paths);
          if (paths.length > 1) for (const change of Object.values(changes)) await change();
          return found;
        },
      },
    },
  );
  for (const id of [first, second]) await setState(id, 'exhausted', { retryAt: past });
  expect(await checkModels(server.url)).toEqual([
    { id: first, state: 'exhausted', reason: 'daily quota', retryAt: future.toISOString() },
    { id: second, state: 'off' },
    { id: third, state: 'ready' },
  ]);
  expect(findTransitions()).toEqual([]);
  await server.close();
});

it('waits longer for a reopened model without billing that fails again', async () => {
  await setState(first, 'exhausted', { reason: 'billing', retryAt: past, attempts: 3 });
  await checkModels();
  expect(await getState(first)).toMatchObject({ state: 'ready', attempts: 3 });
  const startsAt = Date.now();
  const server = await stack.startServer({}, { clock: virtualClock({ startsAt }).clock });
  stack.gemini.script({ ...geminiFault.limitZero(), model: first });
  const user = await stack.user('payer', 10);
  expect((await user.generate('key', {}, server.url)).body.generation.model).toBe(second);
  expect(await getState(first)).toMatchObject({
    state: 'exhausted',
    attempts: 4,
    retryAt: new Date(startsAt + 2 * 3_600_000),
  });
  await server.close();
});

it('logs the same warnings that health shows', async () => {
  await checkModels();
  expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'WARNING', message: warning }));
  expect((await stack.fetch('health')).body.warnings).toContain(warning);
});

describe('only the scheduler', () => {
  it('may call it', async () => {
    expect((await runJob(stack, 'checkQuota', { token: await schedulerToken(stack) })).status).toBe(200);
    await setState(first, 'exhausted', { retryAt: past });
    for (const [who, token, status] of await createRefusedCallers(stack)) {
      const refused = getRefusal(await runJob(stack, 'checkQuota', { token }));
      expect([who, ...refused]).toEqual([who, status, status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN']);
    }
    expect(await getState(first)).toEqual({ state: 'exhausted', retryAt: past });
  });
});
