/** Makes the calls that docs/api shows. Here: one error of every reason. */
import { vi } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { createAuth } from '../../shared/auth/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import { onePixelPng } from '../support/pictures.ts';
import type { Caller, CallParams, Calls, RecordedCall } from './calls.ts';

const model = 'gemini-2.5-flash-image';
/** Without the last bytes, in base64. */
const cutOffPng = onePixelPng.subarray(0, 45).toString('base64');
const imageRequest = { prompt: 'A banana in a space suit', tier: 'standard' };

type Failures = Record<string, RecordedCall>;

/** Fails with every reason. The calls that take seconds run beside the others. */
export async function failWithEveryReason(calls: Calls): Promise<Failures> {
  calls.gemini.always(geminiFault.blank());
  const finishSlowCalls = await startSlowCalls(calls);
  const failures = {
    ...(await failBeforeAnyWrite(calls)),
    ...(await failByEarlierCall(calls)),
    ...(await failAfterDebit(calls)),
    ...(await failWithoutModel(calls)),
  };
  return { ...failures, ...(await finishSlowCalls()) };
}

/** Requests that are refused before anything is written. */
async function failBeforeAnyWrite(calls: Calls): Promise<Failures> {
  const { call, user, server } = calls;
  const expensiveRequest = { ...imageRequest, tier: 'premium4' };
  const grant = { uid: 'hopeful', amount: 100, reason: 'Please' };
  const longPrompt = { prompt: 'x'.repeat(65_536) };
  const poor = await server({ SIGNUP_CREDITS: '1' });
  const formal = await server({ TERMS_VERSION: '2026-11' });
  const withoutKeys = await server({}, { auth: createAuthWithoutKeys(calls) });
  const strict = await server({ MAX_PER_MINUTE_PER_USER: '2' });
  const eager = await user('eager');
  for (const key of ['one', 'two']) await generate(calls, '', { as: eager, key, url: strict.url });
  return {
    INVALID_REQUEST: await generate(calls, 'Two fields are not valid', {
      body: { prompt: ' ', tier: 'gold' },
    }),
    UNAUTHENTICATED: await call({ title: 'No token', path: 'account' }),
    INSUFFICIENT_CREDITS: await generate(calls, 'Too few credits', { body: expensiveRequest, url: poor.url }),
    FORBIDDEN: await call({
      title: 'Not an admin',
      as: await user('hopeful'),
      path: 'grant',
      key: 'my-key',
      body: grant,
    }),
    ACCOUNT_SUSPENDED: await generateWithAccount(calls, 'A suspended account', {
      balance: 10,
      suspended: true,
    }),
    ACCOUNT_CLOSED: await generateWithAccount(calls, 'A closed account', {
      balance: 10,
      closedAt: new Date(0),
    }),
    SIGN_IN_AGAIN: await call({
      title: 'A sign-in of yesterday',
      as: await user('sleepy', 'sleepy@example.com', { auth_time: Math.floor(Date.now() / 1000) - 86_400 }),
      path: 'closeAccount',
      body: { confirm: 'CLOSE' },
    }),
    TERMS_NOT_ACCEPTED: await generate(calls, 'The terms are not accepted', { url: formal.url }),
    EMAIL_NOT_VERIFIED: await call({
      title: 'An unverified e-mail address',
      as: await user('new', 'new@example.com', { email_verified: false }),
      path: 'enhance',
      body: { prompt: imageRequest.prompt },
    }),
    NOT_FOUND: await call({
      title: 'No such key',
      as: await user('lost'),
      path: 'generation?key=never-used',
    }),
    PAYMENTS_UNAVAILABLE: await call({
      title: 'Stripe cannot be reached',
      path: 'packs',
      url: (await server({ STRIPE_API_BASE_URL: 'http://127.0.0.1:1' })).url,
    }),
    METHOD_NOT_ALLOWED: await call({ title: 'GET of an action', path: 'generate' }),
    AUTH_UNAVAILABLE: await generate(calls, "Google's keys cannot be reached", { url: withoutKeys.url }),
    ACCOUNT_INVALID: await generateWithAccount(calls, 'A balance of 1.5', { balance: 1.5 }),
    REFERENCE_UNREADABLE: await generate(calls, 'A reference that is cut off', {
      body: { ...imageRequest, references: [{ mimeType: 'image/png', data: cutOffPng }] },
    }),
    TOO_LARGE: await call({
      title: 'A body of more than 64 KiB',
      as: await user('talkative'),
      path: 'enhance',
      body: longPrompt,
      shownBody: { prompt: 'xxx…' },
    }),
    RATE_LIMITED: await generate(calls, 'Too many in a minute', {
      as: eager,
      key: 'my-next-key',
      url: strict.url,
    }),
  };
}

function createAuthWithoutKeys({ stack }: Calls) {
  const unreachable = () => Promise.reject(new Error('The cause.'));
  const keys = { firebase: unreachable, google: unreachable };
  return createAuth(
    parseConfig(stack.environment),
    createLog(() => {}),
    keys,
  );
}

/** Requests with a key that an earlier call has used. */
async function failByEarlierCall(calls: Calls): Promise<Failures> {
  const { stack, call, user } = calls;
  const otherRequest = { ...imageRequest, prompt: 'Another banana' };
  const as = await user('tidy');
  const { reply } = await generate(calls, '', { as });
  const reused = await generate(calls, 'The same key, another prompt', { as, body: otherRequest });
  await call({ title: '', as, path: 'deleteGeneration', body: { id: reply.body.generation.id } });
  return {
    IN_PROGRESS: await generateTwice(calls, 'The same key while it is running'),
    EXPIRED: await generateTwice(calls, 'Past its deadline', async ({ uid }) => {
      const [generation] = (await stack.ledger(uid)).generations;
      await stack.edit(`accounts/${uid}/generations/${generation?.id}`, { deadline: new Date(0) });
    }),
    DELETED: await generate(calls, 'The key of a deleted image', { as }),
    IDEMPOTENCY_KEY_REUSED: reused,
  };
}

/** Generations that are debited, fail and are refunded. */
async function failAfterDebit(calls: Calls): Promise<Failures> {
  const { stack, server } = calls;
  const broken = await server({}, { imageGenerator: () => Promise.reject(new Error('The cause.')) });
  stack.cloudinary.always(cloudinaryFault.error(500));
  const notStored = await generate(calls, 'The image store fails');
  stack.cloudinary.always(undefined);
  const { noImage, badKey, internal, highDemand, deadline } = geminiFault;
  return {
    CONTENT_BLOCKED: await generateWith(calls, 'The model refuses the prompt', noImage('SAFETY')),
    INTERNAL: await generate(calls, 'An error on our side', { url: broken.url }),
    PROVIDER_MISCONFIGURED: await generateWith(calls, 'Our key for the model is wrong', badKey()),
    PROVIDER_ERROR: await generateWith(calls, 'The model fails', internal()),
    NO_IMAGE: await generateWith(calls, 'No image in the answer', noImage('NO_IMAGE')),
    PROVIDER_OVERLOADED: await generateWith(calls, 'The model is overloaded', highDemand()),
    PROVIDER_TIMEOUT: await generateWith(calls, 'The model is too slow', deadline()),
    STORAGE_ERROR: notStored,
  };
}

/** No model is available: requests are refused before any debit. Each server is new, because servers remember. */
async function failWithoutModel(calls: Calls): Promise<Failures> {
  const { stack, server } = calls;
  const usedUp = await server();
  await generateWith(calls, '', geminiFault.perDay(), usedUp.url);
  const quota = await generate(calls, 'The quota of the day is used up', { url: usedUp.url });
  await stack.erase(`quota/${model}`);
  const thrifty = await server({ MAX_SPEND_PER_DAY_USD: '0.039' });
  return {
    PROVIDER_QUOTA: quota,
    SPEND_CEILING: await generate(calls, 'The spending limit of the day is reached', { url: thrifty.url }),
  };
}

/** Starts the calls that take seconds. Returns a function that waits for them. */
async function startSlowCalls(calls: Calls) {
  const { stack, server, user, holdModel, letNewCallsPass } = calls;
  const unreachable = Object.assign(new Error('The cause.'), { code: 14 });
  const database = { ...stack.database, read: () => Promise.reject(unreachable) };
  const withoutDatabase = await server({}, { database });
  const replaced = await stack.startServer();
  const unanswered = generate(calls, 'The database does not answer', { url: withoutDatabase.url });
  holdModel();
  const as = await user('stopped');
  const stopped = await startGeneration(calls, {
    title: 'The server stops in the middle',
    as,
    url: replaced.url,
  });
  letNewCallsPass();
  void replaced.shutdown();
  return async () => ({ DATABASE_UNAVAILABLE: await unanswered, SHUTTING_DOWN: await stopped.answer });
}

let users = 0;

async function generate(
  { call, user }: Calls,
  title: string,
  more: Partial<CallParams> = {},
): Promise<RecordedCall> {
  const as = more.as ?? (await user(`user-${++users}`));
  return call({ title, as, path: 'generate', key: 'my-key', body: imageRequest, ...more });
}

async function generateWith(
  calls: Calls,
  title: string,
  step: GeminiStep,
  url?: string,
): Promise<RecordedCall> {
  calls.gemini.always(step);
  const recorded = await generate(calls, title, url ? { url } : {});
  calls.gemini.always(geminiFault.blank());
  return recorded;
}

/** Generates with an account that an admin edited in the console. */
async function generateWithAccount(
  calls: Calls,
  title: string,
  fields: Record<string, unknown>,
): Promise<RecordedCall> {
  const as = await calls.user(`user-${++users}`);
  await calls.stack.edit(`accounts/${as.uid}`, fields);
  return generate(calls, title, { as });
}

/** Makes the same call again while the first is running. */
async function generateTwice(
  calls: Calls,
  title: string,
  act?: (as: Caller) => Promise<unknown>,
): Promise<RecordedCall> {
  const as = await calls.user(`user-${++users}`);
  const release = calls.holdModel();
  const first = await startGeneration(calls, { title: '', as });
  await act?.(as);
  const recorded = await generate(calls, title, { as });
  release();
  await first.answer;
  return recorded;
}

/** Starts a generation. Returns as soon as the model has been called. */
async function startGeneration(calls: Calls, { title, ...params }: Partial<CallParams> & { title: string }) {
  const before = calls.gemini.requests.length;
  const answer = generate(calls, title, params);
  const checkModelCall = () => {
    if (calls.gemini.requests.length <= before) throw new Error('The model has not been called yet');
  };
  await vi.waitFor(checkModelCall, { timeout: 10_000, interval: 5 });
  return { answer };
}
