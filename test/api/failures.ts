/** One error of every reason, each by a call that meets it. */
import { vi } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { onePixelPng } from '../support/pictures.ts';
import type { Asked, Caller, Calls, Made } from './calls.ts';

const model = 'gemini-2.5-flash-image';
const imageRequest = { prompt: 'A banana in a space suit', tier: 'standard' };

type Failures = Record<string, Made>;

/** Asks into every reason. What takes seconds runs beside the rest. */
export async function callIntoEveryReason(calls: Calls): Promise<Failures> {
  calls.gemini.always(geminiFault.image(onePixelPng));
  const slow = await startSlowOnes(calls);
  const made = {
    ...(await refused(calls)),
    ...(await met(calls)),
    ...(await failedAfterTheDebit(calls)),
    ...(await closed(calls)),
  };
  return { ...made, ...(await slow()) };
}

/** Refused before anything is written. */
async function refused(calls: Calls): Promise<Failures> {
  const { call, user, server } = calls;
  const tooDear = { ...imageRequest, tier: 'premium4' };
  const gift = { uid: 'hopeful', amount: 100, reason: 'Please' };
  const long = { prompt: 'x'.repeat(65_536) };
  const poor = await server({ SIGNUP_CREDITS: '1' });
  const strict = await server({ MAX_PER_MINUTE_PER_USER: '2' });
  const eager = await user('eager');
  for (const key of ['one', 'two']) await generate(calls, '', { as: eager, key, url: strict.url });
  return {
    INVALID_REQUEST: await generate(calls, 'Two fields are wrong', { body: { prompt: ' ', tier: 'gold' } }),
    UNAUTHENTICATED: await call({ title: 'No token', path: 'account' }),
    INSUFFICIENT_CREDITS: await generate(calls, 'Too few credits', { body: tooDear, url: poor.url }),
    FORBIDDEN: await call({
      title: 'Not an admin',
      as: await user('hopeful'),
      path: 'grant',
      key: 'my-key',
      body: gift,
    }),
    ACCOUNT_SUSPENDED: await withAccount(calls, 'A suspended account', { balance: 10, suspended: true }),
    NOT_FOUND: await call({
      title: 'No such key',
      as: await user('lost'),
      path: 'generation?key=never-used',
    }),
    METHOD_NOT_ALLOWED: await call({ title: 'GET of an action', path: 'generate' }),
    ACCOUNT_INVALID: await withAccount(calls, 'A balance of 1.5', { balance: 1.5 }),
    TOO_LARGE: await call({
      title: 'A body of more than 64 KiB',
      as: await user('talkative'),
      path: 'enhance',
      body: long,
      shownBody: { prompt: 'xxx…' },
    }),
    RATE_LIMITED: await generate(calls, 'Too many in a minute', {
      as: eager,
      key: 'my-next-key',
      url: strict.url,
    }),
  };
}

/** What an earlier call with the same key left. */
async function met(calls: Calls): Promise<Failures> {
  const { stack, call, user } = calls;
  const other = { ...imageRequest, prompt: 'Another banana' };
  const as = await user('tidy');
  const { reply } = await generate(calls, '', { as });
  const reused = await generate(calls, 'The same key, another prompt', { as, body: other });
  await call({ title: '', as, path: 'deleteGeneration', body: { id: reply.body.generation.id } });
  return {
    IN_PROGRESS: await meanwhile(calls, 'The same key while it is painted'),
    EXPIRED: await meanwhile(calls, 'Past its deadline', async ({ uid }) => {
      const [generation] = (await stack.ledger(uid)).generations;
      await stack.edit(`accounts/${uid}/generations/${generation?.id}`, { deadline: new Date(0) });
    }),
    DELETED: await generate(calls, 'The key of a deleted image', { as }),
    IDEMPOTENCY_KEY_REUSED: reused,
  };
}

/** Debited, failed, refunded. */
async function failedAfterTheDebit(calls: Calls): Promise<Failures> {
  const { stack, server } = calls;
  const broken = await server({}, { imageGenerator: () => Promise.reject(new Error('The cause.')) });
  stack.cloudinary.always(cloudinaryFault.error(500));
  const notStored = await generate(calls, 'The image store fails');
  stack.cloudinary.always(undefined);
  const { noImage, badKey, internal, highDemand, deadline } = geminiFault;
  return {
    CONTENT_BLOCKED: await painting(calls, 'The model would not', noImage('SAFETY')),
    INTERNAL: await generate(calls, 'A fault of ours', { url: broken.url }),
    PROVIDER_MISCONFIGURED: await painting(calls, 'Our key of the model is wrong', badKey()),
    PROVIDER_ERROR: await painting(calls, 'The model fails', internal()),
    NO_IMAGE: await painting(calls, 'No image in the answer', noImage('NO_IMAGE')),
    PROVIDER_OVERLOADED: await painting(calls, 'The model is overloaded', highDemand()),
    PROVIDER_TIMEOUT: await painting(calls, 'The model is too slow', deadline()),
    STORAGE_ERROR: notStored,
  };
}

/** No model may be asked: refused before any debit. Each on a server of its own, for servers remember. */
async function closed(calls: Calls): Promise<Failures> {
  const { stack, server } = calls;
  const usedUp = await server();
  await painting(calls, '', geminiFault.perDay(), usedUp.url);
  const quota = await generate(calls, 'The quota of the day is used up', { url: usedUp.url });
  await stack.erase(`quota/${model}`);
  const thrifty = await server({ MAX_SPEND_PER_DAY_USD: '0.039' });
  return {
    PROVIDER_QUOTA: quota,
    SPEND_CEILING: await generate(calls, 'Enough was spent today', { url: thrifty.url }),
  };
}

/** Starts what takes seconds, to be waited for in the end. */
async function startSlowOnes(calls: Calls) {
  const { stack, server, user, hold, letPass } = calls;
  const unreachable = Object.assign(new Error('The cause.'), { code: 14 });
  const database = { ...stack.database, read: () => Promise.reject(unreachable) };
  const without = await server({}, { database });
  const replaced = await stack.startServer();
  const unanswered = generate(calls, 'The database is away', { url: without.url });
  hold();
  const as = await user('stopped');
  const stopped = await paintingStarted(calls, { title: 'Stopped in the middle', as, url: replaced.url });
  letPass();
  void replaced.shutdown();
  return async () => ({ DATABASE_UNAVAILABLE: await unanswered, SHUTTING_DOWN: await stopped.answer });
}

let users = 0;

async function generate({ call, user }: Calls, title: string, more: Partial<Asked> = {}): Promise<Made> {
  const as = more.as ?? (await user(`user-${++users}`));
  return call({ title, as, path: 'generate', key: 'my-key', body: imageRequest, ...more });
}

async function painting(calls: Calls, title: string, step: GeminiStep, url?: string): Promise<Made> {
  calls.gemini.always(step);
  const made = await generate(calls, title, url ? { url } : {});
  calls.gemini.always(geminiFault.image(onePixelPng));
  return made;
}

/** With an account as an admin has made it in the console. */
async function withAccount(calls: Calls, title: string, fields: Record<string, unknown>): Promise<Made> {
  const as = await calls.user(`user-${++users}`);
  await calls.stack.edit(`accounts/${as.uid}`, fields);
  return generate(calls, title, { as });
}

/** The same call again, while the first is being painted. */
async function meanwhile(calls: Calls, title: string, act?: (as: Caller) => Promise<unknown>): Promise<Made> {
  const as = await calls.user(`user-${++users}`);
  const release = calls.hold();
  const first = await paintingStarted(calls, { title: '', as });
  await act?.(as);
  const made = await generate(calls, title, { as });
  release();
  await first.answer;
  return made;
}

/** Starts a generation; returns once the model has been asked. */
async function paintingStarted(calls: Calls, { title, ...asked }: Partial<Asked> & { title: string }) {
  const before = calls.gemini.requests.length;
  const answer = generate(calls, title, asked);
  const isAsked = () => {
    if (calls.gemini.requests.length <= before) throw new Error('The model was not asked yet');
  };
  await vi.waitFor(isAsked, { timeout: 10_000, interval: 5 });
  return { answer };
}
