/** Every error as the contract has it: status, reason, advice and receipt. The cause stays in the log. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { createAuth } from '../../shared/auth/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import { reasons } from '../../shared/errorReasons.ts';
import type { StripeApi } from '../../shared/payments/stripe.ts';
import { expectError } from '../support/errorReplies.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { onePixelPng } from '../support/pictures.ts';
import { getDetail, type Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

const secretCause = 'the cause that only the log may have';
const model = 'gemini-2.5-flash-image';

const stripeEnv = { STRIPE_SECRET_KEY: 'sk_test_51OfTheErrors', CREDIT_PACKS: 'starter=price_starter:100' };
/** Stripe with a price, and nothing else. */
const pricedStripe = {
  findPrice: async (id) => ({ id, active: true, type: 'one_time', unit_amount: 500, currency: 'usd' }),
} satisfies Partial<StripeApi> as Partial<StripeApi> as StripeApi;

let stack: Stack;
let gemini: GatedGemini;
/** The replies that take seconds. They are requested while everything else runs. */
let slow: { databaseUnavailable: Promise<Reply>; shuttingDown: Promise<Reply> };
let userAtShutdown: User;

beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  const unreachable = Object.assign(new Error(secretCause), { code: 14 });
  const withoutDatabase = await stack.startServer(
    {},
    { database: { ...stack.database, read: () => Promise.reject(unreachable) } },
  );
  const databaseUnavailable = (await stack.newUser()).generate('key', {}, withoutDatabase.url);

  userAtShutdown = await stack.newUser();
  const replaced = await stack.startServer();
  const { reply } = await startGenerating(userAtShutdown, replaced.url);
  void replaced.shutdown();
  slow = { databaseUnavailable, shuttingDown: reply };
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});
beforeEach(() => {
  gemini.alwaysImage();
  stack.cloudinary.always(undefined);
});

/** Starts a generation under the key `key`, which the model does not answer before `release`. */
async function startGenerating(user: User, url?: string) {
  const held = await gemini.hold(() => user.generate('key', {}, url));
  const id = (await stack.ledger(user.uid)).generations[0]?.id as string;
  return { ...held, id };
}

describe('every reason has its status, code and advice', () => {
  const generating = (step: GeminiStep) => async () => {
    gemini.always(step);
    return (await stack.newUser()).generate('key');
  };
  /** On its own server. Afterwards the model's quota state is deleted. */
  const exhausting = (step: GeminiStep) => async () => {
    gemini.always(step);
    const reply = await (await stack.newUser()).generate('key', {}, (await stack.startServer()).url);
    await stack.erase(`quota/${model}`);
    return reply;
  };
  const afterEdit = async (fields: Record<string, unknown>) => {
    const user = await stack.newUser();
    await stack.edit(`accounts/${user.uid}`, fields);
    return user.generate('key');
  };
  /** On a server that cannot get Google's keys. */
  const generateWithoutKeys = async () => {
    const unreachable = () => Promise.reject(new Error(secretCause));
    const keys = { firebase: unreachable, google: unreachable };
    const auth = createAuth(
      parseConfig(stack.environment),
      createLog(() => {}),
      keys,
    );
    const { url } = await stack.startServer({}, { auth });
    return (await stack.newUser()).generate('key', {}, url);
  };
  const succeed = async () => {
    const user = await stack.newUser();
    return { user, id: (await user.generate('key')).body.generation.id as string };
  };

  const rows: [reason: string, code: number, status: string, retry: string, () => Promise<Reply>][] = [
    [
      'INVALID_REQUEST',
      400,
      'INVALID_ARGUMENT',
      'no',
      async () => (await stack.newUser()).generate('key', { tier: 'gold' }),
    ],
    ['UNAUTHENTICATED', 401, 'UNAUTHENTICATED', 'no', () => stack.fetch('account')],
    [
      'INSUFFICIENT_CREDITS',
      402,
      'FAILED_PRECONDITION',
      'no',
      async () => (await stack.newUser(0)).generate('key'),
    ],
    [
      'FORBIDDEN',
      403,
      'PERMISSION_DENIED',
      'no',
      async () => {
        const { uid, post } = await stack.newUser();
        return post('grant', { uid, amount: 5, reason: 'wish' }, { 'idempotency-key': 'key' });
      },
    ],
    ['ACCOUNT_SUSPENDED', 403, 'PERMISSION_DENIED', 'no', () => afterEdit({ suspended: true })],
    [
      'TERMS_NOT_ACCEPTED',
      403,
      'PERMISSION_DENIED',
      'no',
      async () =>
        (await stack.newUser()).generate('key', {}, (await stack.startServer({ TERMS_VERSION: '1' })).url),
    ],
    [
      'EMAIL_NOT_VERIFIED',
      403,
      'PERMISSION_DENIED',
      'no',
      async () => {
        const user = await stack.user('unverified', 0, { email_verified: false });
        return user.post('enhance', { prompt: 'A banana' });
      },
    ],
    ['NOT_FOUND', 404, 'NOT_FOUND', 'no', async () => (await stack.newUser()).get('generation?key=never')],
    ['METHOD_NOT_ALLOWED', 405, 'UNIMPLEMENTED', 'no', () => stack.fetch('generate')],
    [
      'IN_PROGRESS',
      409,
      'ABORTED',
      'same_key',
      async () => {
        const user = await stack.newUser();
        const { id, reply: held, release } = await startGenerating(user);
        const reply = await user.post('deleteGeneration', { id });
        release();
        expect((await held).status).toBe(200);
        expect(getDetail(reply, 'ErrorInfo').metadata.generationId).toBe(id);
        return reply;
      },
    ],
    ['ACCOUNT_INVALID', 409, 'FAILED_PRECONDITION', 'no', () => afterEdit({ balance: 1.5 })],
    [
      'SIGN_IN_AGAIN',
      403,
      'PERMISSION_DENIED',
      'no',
      async () => {
        const yesterday = Math.floor(Date.now() / 1000) - 86_400;
        const user = await stack.user('sleepy', undefined, { auth_time: yesterday });
        return user.post('closeAccount', { confirm: 'CLOSE' });
      },
    ],
    [
      'ACCOUNT_CLOSED',
      409,
      'FAILED_PRECONDITION',
      'no',
      async () => {
        const user = await stack.newUser();
        await stack.edit(`accounts/${user.uid}`, { closedAt: new Date() });
        const { url } = await stack.startServer(stripeEnv, { stripe: pricedStripe });
        return user.post('checkout', { pack: 'starter' }, { 'idempotency-key': 'key' }, url);
      },
    ],
    [
      'PAYMENTS_UNAVAILABLE',
      503,
      'UNAVAILABLE',
      'same_key',
      async () => {
        const unreachable = { ...stripeEnv, STRIPE_API_BASE_URL: 'http://127.0.0.1:1' };
        return stack.fetch('packs', {}, (await stack.startServer(unreachable)).url);
      },
    ],
    [
      'EXPIRED',
      410,
      'ABORTED',
      'new_key',
      async () => {
        const user = await stack.newUser();
        const { id, reply: held, release } = await startGenerating(user);
        await stack.edit(`accounts/${user.uid}/generations/${id}`, { deadline: new Date(0) });
        const reply = await user.generate('key');
        release();
        await held;
        return reply;
      },
    ],
    [
      'DELETED',
      410,
      'ABORTED',
      'no',
      async () => {
        const { user, id } = await succeed();
        await user.post('deleteGeneration', { id });
        return user.generate('key');
      },
    ],
    [
      'TOO_LARGE',
      413,
      'INVALID_ARGUMENT',
      'no',
      async () => (await stack.newUser()).post('deleteGeneration', { id: 'x'.repeat(65_536) }),
    ],
    [
      'IDEMPOTENCY_KEY_REUSED',
      422,
      'INVALID_ARGUMENT',
      'new_key',
      async () => (await succeed()).user.generate('key', { prompt: 'Else' }),
    ],
    ['CONTENT_BLOCKED', 422, 'FAILED_PRECONDITION', 'new_key', generating(geminiFault.noImage('SAFETY'))],
    [
      'REFERENCE_UNREADABLE',
      422,
      'INVALID_ARGUMENT',
      'no',
      async () => {
        const cutOff = { mimeType: 'image/png', data: onePixelPng.subarray(0, -3).toString('base64') };
        return (await stack.newUser()).generate('key', { references: [cutOff] });
      },
    ],
    [
      'RATE_LIMITED',
      429,
      'RESOURCE_EXHAUSTED',
      'same_key',
      async () => {
        const { url } = await stack.startServer({ MAX_PER_MINUTE_PER_USER: '1' });
        const user = await stack.newUser();
        await user.generate('key', {}, url);
        return user.generate('another', {}, url);
      },
    ],
    [
      'INTERNAL',
      500,
      'INTERNAL',
      'new_key',
      async () => {
        const { url } = await stack.startServer(
          {},
          { imageGenerator: () => Promise.reject(new Error(secretCause)) },
        );
        return (await stack.newUser()).generate('key', {}, url);
      },
    ],
    ['PROVIDER_MISCONFIGURED', 500, 'INTERNAL', 'new_key', generating(geminiFault.badKey())],
    ['PROVIDER_ERROR', 502, 'UNAVAILABLE', 'new_key', generating(geminiFault.internal())],
    ['NO_IMAGE', 502, 'UNAVAILABLE', 'new_key', generating(geminiFault.noImage('NO_IMAGE'))],
    [
      'STORAGE_ERROR',
      502,
      'UNAVAILABLE',
      'new_key',
      async () => {
        stack.cloudinary.always(cloudinaryFault.error(500));
        return (await stack.newUser()).generate('key');
      },
    ],
    ['PROVIDER_QUOTA', 503, 'UNAVAILABLE', 'new_key', exhausting(geminiFault.perDay())],
    [
      'SPEND_CEILING',
      503,
      'UNAVAILABLE',
      'same_key',
      async () => {
        await succeed();
        const { url } = await stack.startServer({ MAX_SPEND_PER_DAY_USD: '0.039' });
        return (await stack.newUser()).generate('key', {}, url);
      },
    ],
    ['PROVIDER_OVERLOADED', 503, 'UNAVAILABLE', 'new_key', generating(geminiFault.highDemand())],
    ['PROVIDER_TIMEOUT', 504, 'DEADLINE_EXCEEDED', 'new_key', generating(geminiFault.deadline())],
    ['AUTH_UNAVAILABLE', 503, 'UNAVAILABLE', 'same_key', generateWithoutKeys],
    ['SHUTTING_DOWN', 503, 'UNAVAILABLE', 'new_key', () => slow.shuttingDown],
    ['DATABASE_UNAVAILABLE', 503, 'UNAVAILABLE', 'same_key', () => slow.databaseUnavailable],
  ];
  const reasonsAfterDebit =
    /^(IN_PROGRESS|EXPIRED|DELETED|CONTENT_BLOCKED|INTERNAL|PROVIDER_|NO_IMAGE|STORAGE|SHUTTING)/;

  const retryAfterReasons = [
    'IN_PROGRESS',
    'RATE_LIMITED',
    'AUTH_UNAVAILABLE',
    'DATABASE_UNAVAILABLE',
    'SHUTTING_DOWN',
    'SPEND_CEILING',
    'PROVIDER_QUOTA',
    'PROVIDER_OVERLOADED',
  ];

  it.each(rows)('%s is %i %s with retry: %s', async (reason, code, status, retry, request) => {
    const reply = await request();
    expectError(reply, code, status, reason, retry);
    expect(JSON.stringify(reply.body)).not.toContain(secretCause);
    const isByDelete = reason === 'IN_PROGRESS';
    expect(reply.body.receipt !== undefined).toBe(reasonsAfterDebit.test(reason) && !isByDelete);
    if (retryAfterReasons.includes(reason)) {
      expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(getDetail(reply, 'RetryInfo').retryDelay).toBe(`${reply.headers.get('retry-after')}s`);
    }
  });

  it('has a case for every reason', () => {
    expect(rows.map(([reason]) => reason).sort()).toEqual(Object.keys(reasons).sort());
  });

  it('refunds a generation that a shutdown stopped', async () => {
    expect((await slow.shuttingDown).body.receipt).toEqual({
      charged: 1,
      refunded: 1,
      balance: 10,
      sequence: 3,
    });
    expect(await brokenInvariants(stack, userAtShutdown.uid)).toEqual([]);
  });

  it('logs the cause of a 500', async () => {
    const { url } = await stack.startServer(
      {},
      { imageGenerator: () => Promise.reject(new Error(secretCause)) },
    );
    const before = stack.logs.length;
    await (await stack.newUser()).generate('key', {}, url);
    expect(JSON.stringify(stack.logs.slice(before))).toContain(secretCause);
  });
});
