/** Which failures close a model or all of them, for how long, and what users and operators see of it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { onePixelPng } from '../support/pictures.ts';
import { runJob, schedulerEnv } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second, third] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
] as const;
const ids = [first, second, third];
const minuteMs = 60_000;

let stack: Stack;
let time: ReturnType<typeof virtualClock>;
const servers: { close: () => Promise<void> }[] = [];
let users = 0;

beforeAll(async () => {
  stack = await startStack({ ...schedulerEnv, IMAGEGEN_FALLBACK_MODEL_IDS: `${second},${third}` });
});
afterAll(() => stack.close());
beforeEach(() => {
  time = virtualClock();
  stack.gemini.always(geminiFault.blank());
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await stack.database.commit(['all', ...ids].map((id) => ({ delete: `quota/${id}` })));
});

async function startServer(env: Record<string, string> = {}, database = stack.database): Promise<string> {
  const server = await stack.startServer(env, {
    clock: time.clock,
    database: { ...database, close: async () => {} },
  });
  servers.push(server);
  return server.url;
}
const newUser = () => stack.user(`user-${++users}`, 10);
const generate = async (url: string) => (await newUser()).generate('key', {}, url);
const at = (model: string, step: GeminiStep): GeminiStep => ({ ...step, model });
const stateOf = (id: string) => stack.document(`quota/${id}`);
const reasonOf = (reply: { body: { error?: { details: { reason: string }[] } } }) =>
  reply.body.error?.details[0]?.reason;

describe('404', () => {
  it('of Google closes its model for 5 minutes, and health and checkQuota name it', async () => {
    const url = await startServer();
    stack.gemini.script(at(first, geminiFault.noLongerAvailable(first)));
    expect((await generate(url)).body.generation.model).toBe(second);
    const retryAt = new Date(time.clock.now() + 5 * minuteMs);
    expect(await stateOf(first)).toMatchObject({ state: 'exhausted', reason: 'retired', retryAt });

    const warning = `${first} was not found at Google and is not asked until ${retryAt.toISOString()}`;
    const health = await stack.fetch('health', {}, url);
    expect([health.status, health.body.status]).toEqual([200, 'ok']);
    expect(health.body.warnings).toContain(warning);
    expect((await runJob(stack, 'checkQuota', { url })).body.warnings).toContain(warning);

    time.advance(5 * minuteMs);
    expect((await generate(url)).body.generation.model).toBe(first);
    expect((await stack.fetch('health', {}, url)).body.warnings).not.toContain(warning);
  });

  it.each<[string, GeminiStep]>([
    ['in HTML', geminiFault.html(404)],
    ['in plain text', geminiFault.plainNotFound()],
  ])('of a proxy, %s, closes nothing', async (_, step) => {
    const url = await startServer();
    stack.gemini.always(step);
    const reply = await generate(url);
    expect([reply.status, reasonOf(reply)]).toEqual([502, 'PROVIDER_ERROR']);
    for (const id of ids) expect(await stateOf(id)).toBeUndefined();
    stack.gemini.always(geminiFault.blank());
    expect((await generate(url)).body.generation.model).toBe(first);
  });

  it('of every model leaves one open, so that the studio is not closed by one request', async () => {
    const url = await startServer();
    stack.gemini.script(...ids.map((id) => at(id, geminiFault.notFound(id))));
    const reply = await generate(url);
    expect([reply.status, reasonOf(reply)]).toEqual([500, 'PROVIDER_MISCONFIGURED']);
    expect(await stateOf(third)).toBeUndefined();
    expect((await generate(url)).body.generation.model).toBe(third);
    const { body } = await stack.fetch('health', {}, url);
    for (const id of [first, second]) {
      expect(body.warnings.some((warning: string) => warning.startsWith(`${id} was not found`))).toBe(true);
    }
  });
});

it.each([false, true])(
  'a cap of the whole project closes every model, with details: %s',
  async (withDetails) => {
    const url = await startServer();
    stack.gemini.script(geminiFault.spendingCap(withDetails));
    const calls = stack.gemini.requests.length;
    const reply = await generate(url);
    expect([reply.status, reasonOf(reply)]).toEqual([503, 'PROVIDER_QUOTA']);
    expect(reply.headers.get('retry-after')).toBe(String(15 * 60));
    expect(await stateOf('all')).toMatchObject({ state: 'exhausted', reason: 'billing' });
    const next = await generate(url);
    expect(reasonOf(next)).toBe('PROVIDER_QUOTA');
    expect(next.body).not.toHaveProperty('receipt');
    expect(stack.gemini.requests).toHaveLength(calls + 1);
  },
);

describe('account offers what the first usable model can do', () => {
  const offer = async (url: string) => {
    const { body } = await (await newUser()).get('account', url);
    const { width, height } = body.tiers.find(({ id }: { id: string }) => id === 'premium2');
    return [width, height, body.limits.maxReferences];
  };

  it('as another instance has recorded it, without a round trip of its own', async () => {
    const counted = countingDatabase(stack.database);
    const url = await startServer({}, counted.database);
    expect(await offer(url)).toEqual([1248, 832, 3]);
    await stack.edit(`quota/${first}`, { state: 'off' });
    time.advance(5_000);
    const user = await newUser();
    await user.get('account', url);
    counted.reset();
    time.advance(5_000);
    expect((await user.get('account', url)).body.limits.maxReferences).toBe(14);
    expect(counted.trips).toEqual(['read']);
    expect(await offer(url)).toEqual([1264, 848, 14]);
  });

  it('and generate accepts as many references, also in an instance that knows no states yet', async () => {
    await stack.edit(`quota/${first}`, { state: 'off' });
    const reference = { mimeType: 'image/png', data: onePixelPng.toString('base64') };
    const references = Array.from({ length: 14 }, () => reference);
    const url = await startServer();
    const reply = await (await newUser()).generate('key', { references }, url);
    expect([reply.status, reply.body.generation?.model]).toEqual([200, second]);
  });

  it('until the model is back', async () => {
    await stack.edit(`quota/${first}`, {
      state: 'exhausted',
      retryAt: new Date(time.clock.now() + minuteMs),
    });
    const url = await startServer();
    expect(await offer(url)).toEqual([1264, 848, 14]);
    time.advance(minuteMs);
    expect(await offer(url)).toEqual([1248, 832, 3]);
  });

  it('and what the configured model can do if none is usable', async () => {
    await stack.edit('quota/all', { state: 'off' });
    expect(await offer(await startServer())).toEqual([1248, 832, 3]);
  });
});
