/**
 * Access: every function with every kind of caller, and every function that takes an id with the ids of another
 * user, of deleted generations and of none. A refused call changes nothing and reveals nothing.
 */
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { functions } from '../../functions/index.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { answerLookups } from '../support/adminLookup.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { getReason, type Reply } from '../support/replies.ts';
import { schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';

const gets = [
  'health',
  'packs',
  'account',
  'ledger',
  'gallery',
  'generation',
  'exportAccount',
  'audit',
  'reports',
  'adminOverview',
  'adminAccounts',
  'adminAccount',
];
const [live, gone] = ['live', 'gone'].map((key) => hashGenerationId('owner', key)) as [string, string];
const intrudersGone = hashGenerationId('intruder', 'gone');
const unknown = 'f'.repeat(32);
let stack: Stack;
let before: Awaited<ReturnType<Stack['ledger']>>;
const tokens: Record<string, string | undefined> = {};

beforeAll(async () => {
  stack = await startStack(schedulerEnv);
  const [owner, intruder] = [await stack.user('owner', 20), await stack.user('intruder', 20)];
  for (const user of [owner, intruder]) {
    for (const key of ['live', 'gone']) expect((await user.generate(key)).status).toBe(200);
    const id = hashGenerationId(user.uid, 'gone');
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
  }
  // A user whose account an admin deleted in the console.
  await (await stack.user('erased', 5)).get('account');
  await stack.erase('accounts/erased');
  Object.assign(tokens, {
    intruder: intruder.token,
    admin: await stack.tokenFor('boss', { admin: true }),
    scheduler: await schedulerToken(stack),
    expired: await signed(stack.projectId, Math.floor(Date.now() / 1000) - 1),
    'a malformed one': 'a.b.c',
    "another project's": await signed('another'),
  });
  before = await stack.ledger('owner');
});
afterEach(() => void vi.unstubAllGlobals());
afterAll(() => stack.close());

/** A token of the intruder for any project and expiry, signed with the trusted key. */
function signed(project: string, exp: number | string = '1h'): Promise<string> {
  return new SignJWT({ auth_time: 1, firebase: { sign_in_provider: 'password' } })
    .setProtectedHeader({ alg: 'RS256', kid: 'test' })
    .setSubject('intruder')
    .setIssuer(`https://securetoken.google.com/${project}`)
    .setAudience(project)
    .setIssuedAt(1)
    .setExpirationTime(exp)
    .sign(stack.keys.privateKey);
}

/** Calls a function with its method. `input` is the query of a GET and the body of a POST. */
function call(name: string, who: string | undefined, input: Record<string, unknown> = {}): Promise<Reply> {
  const token = who === undefined ? undefined : tokens[who];
  const headers: Record<string, string> = {
    'idempotency-key': 'probe',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  if (gets.includes(name)) {
    return stack.fetch(`${name}?${new URLSearchParams(input as Record<string, string>)}`, { headers });
  }
  const body = JSON.stringify(input);
  return stack.fetch(name, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json' },
  });
}
const getOutcome = (reply: Reply) => [reply.status, getReason(reply) ?? 'OK'];

/** The status for an allowed caller who sends no input: 200 unless the function requires some. */
const statusWithoutInput: Record<string, number> = {
  generation: 400,
  enhance: 400,
  generate: 400,
  deleteGeneration: 400,
  favourite: 400,
  share: 400,
  takedown: 400,
  resolveReport: 400,
  acceptTerms: 400,
  closeAccount: 400,
  suspend: 400,
  adminAccount: 400,
  grant: 400,
  checkout: 400,
  confirmCheckout: 400,
  // Nobody here has ever bought anything.
  billingPortal: 404,
};
const userFunctions = [
  'account',
  'ledger',
  'gallery',
  'generation',
  'enhance',
  'generate',
  'deleteGeneration',
  'favourite',
  'share',
  'acceptTerms',
  'closeAccount',
  'exportAccount',
  'checkout',
  'confirmCheckout',
  'billingPortal',
];
const adminFunctions = [
  'adminOverview',
  'adminAccounts',
  'adminAccount',
  'suspend',
  'grant',
  'audit',
  'takedown',
  'reports',
  'resolveReport',
];
/** `stripeWebhook` checks a signature instead of a token. */
const anyonesFunctions = ['health', 'packs', 'stripeWebhook', 'sharedImage', 'report'];
const schedulerFunctions = ['checkQuota', 'refillAllowances', 'sweepHolds', 'reconcile', 'reconcilePayments'];

describe('who may call', () => {
  it('is tested for every function except the event, whose sender Cloud Run checks', () => {
    expect(
      [
        ...anyonesFunctions,
        ...userFunctions,
        ...adminFunctions,
        ...schedulerFunctions,
        'accountWritten',
      ].sort(),
    ).toEqual(Object.keys(functions).sort());
  });

  const strangers = [undefined, 'expired', 'a malformed one', "another project's"];
  const rows = [...userFunctions, ...adminFunctions, ...schedulerFunctions].flatMap((name) => [
    ...strangers.map((who): [string, string | undefined, number] => [name, who, 401]),
    [
      name,
      'intruder',
      userFunctions.includes(name)
        ? (statusWithoutInput[name] ?? 200)
        : adminFunctions.includes(name)
          ? 403
          : 401,
    ],
    [name, 'admin', schedulerFunctions.includes(name) ? 401 : (statusWithoutInput[name] ?? 200)],
    [name, 'scheduler', schedulerFunctions.includes(name) ? 200 : 401],
  ]) as [string, string | undefined, number][];

  it.each(rows)('%s by %s: %i', async (name, who, status) => {
    answerLookups(stack);
    const reply = await call(name, who);
    expect(reply.status).toBe(status);
    if (status === 401) expect(reply.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each([
    ['was signed out everywhere', { validSince: String(Math.floor(Date.now() / 1000) + 3_600) }],
    ['was disabled', { disabled: true }],
    ['was deleted', null],
  ])('no admin who %s, whatever the token says', async (_, found) => {
    answerLookups(stack, () => found);
    for (const name of adminFunctions) expect((await call(name, 'admin')).status).toBe(401);
  });

  it.each(['health', 'packs'])('anyone may call %s, with any token', async (name) => {
    for (const who of [...strangers, 'intruder']) expect((await call(name, who)).status).toBe(200);
  });
});

describe('data of another user does not exist for the caller', () => {
  const own = { prompt: 'A banana', tier: 'standard' };
  const rows: [name: string, what: string, input: Record<string, unknown>, expected: [number, string]][] = [
    ['generation', "another user's id", { id: live }, [404, 'NOT_FOUND']],
    ['generation', "another user's deleted id", { id: gone }, [404, 'NOT_FOUND']],
    ['generation', "another user's key", { key: 'only-the-owner-has-it' }, [404, 'NOT_FOUND']],
    ['generation', 'an unknown id', { id: unknown }, [404, 'NOT_FOUND']],
    ['generation', "the caller's deleted id", { id: intrudersGone }, [200, 'OK']],
    ['generation', 'a malformed id', { id: '../../owner' }, [400, 'INVALID_REQUEST']],
    ['generation', "another user's uid", { id: live, uid: 'owner' }, [400, 'INVALID_REQUEST']],
    ['deleteGeneration', "another user's id", { id: live }, [404, 'NOT_FOUND']],
    ['deleteGeneration', "another user's deleted id", { id: gone }, [404, 'NOT_FOUND']],
    ['deleteGeneration', 'an unknown id', { id: unknown }, [404, 'NOT_FOUND']],
    ['deleteGeneration', "the caller's deleted id", { id: intrudersGone }, [200, 'OK']],
    [
      'deleteGeneration',
      'a malformed id',
      { id: `accounts/owner/generations/${live}` },
      [400, 'INVALID_REQUEST'],
    ],
    ['favourite', "another user's id", { id: live, favourite: true }, [404, 'NOT_FOUND']],
    ['favourite', "the caller's deleted id", { id: intrudersGone, favourite: true }, [404, 'NOT_FOUND']],
    ['share', "another user's id", { id: live, shared: true }, [404, 'NOT_FOUND']],
    ['share', "another user's id, to make it private", { id: live, shared: false }, [404, 'NOT_FOUND']],
    ['share', "the caller's deleted id", { id: intrudersGone, shared: true }, [404, 'NOT_FOUND']],
    ['takedown', "the caller's id", { uid: 'intruder', generationId: live, reason: 'r' }, [403, 'FORBIDDEN']],
    [
      'generate',
      "another user's image as a reference",
      { ...own, references: [{ generationId: live }] },
      [404, 'NOT_FOUND'],
    ],
    [
      'generate',
      "another user's deleted image as a reference",
      { ...own, references: [{ generationId: gone }] },
      [404, 'NOT_FOUND'],
    ],
    [
      'generate',
      'an unknown reference',
      { ...own, references: [{ generationId: unknown }] },
      [404, 'NOT_FOUND'],
    ],
    [
      'generate',
      "the caller's deleted image as a reference",
      { ...own, references: [{ generationId: intrudersGone }] },
      [404, 'NOT_FOUND'],
    ],
    [
      'generate',
      'a malformed reference',
      { ...own, references: [{ generationId: `../${live}` }] },
      [400, 'INVALID_REQUEST'],
    ],
    ['generate', "another user's uid", { ...own, uid: 'owner' }, [400, 'INVALID_REQUEST']],
    ['enhance', "another user's uid", { prompt: 'A banana', uid: 'owner' }, [400, 'INVALID_REQUEST']],
    ['account', "another user's uid", { uid: 'owner' }, [400, 'INVALID_REQUEST']],
    ['ledger', "another user's uid", { uid: 'owner' }, [400, 'INVALID_REQUEST']],
    ['gallery', "another user's uid", { uid: 'owner' }, [400, 'INVALID_REQUEST']],
    ['grant', "another user's uid", { uid: 'owner', amount: 1, reason: 'r' }, [403, 'FORBIDDEN']],
    ['audit', "another user's uid", { uid: 'owner' }, [403, 'FORBIDDEN']],
    ['audit', "the caller's uid", { uid: 'intruder' }, [403, 'FORBIDDEN']],
  ];

  it.each(rows)('%s with %s', async (name, _, input, expected) => {
    expect(getOutcome(await call(name, 'intruder', input))).toEqual(expected);
  });

  it.each(rows)('%s with %s, without a token', async (name, _, input) => {
    expect(getOutcome(await call(name, undefined, input))).toEqual([401, 'UNAUTHENTICATED']);
  });

  it.each(['generation', 'deleteGeneration'])(
    '%s answers the same for ids of another user, deleted or not, and for an unknown id',
    async (name) => {
      const replies = await Promise.all([live, gone, unknown].map((id) => call(name, 'intruder', { id })));
      expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    },
  );

  it.each(['ledger', 'gallery'])("a page token of another user's %s shows the caller's own", async (name) => {
    const theirs = await stack.fetch(`${name}?pageSize=1`, {
      headers: { authorization: `Bearer ${await stack.tokenFor('owner')}` },
    });
    const shown = JSON.stringify((await call(name, 'intruder')).body);
    // One image has no second page, so its token is made by hand.
    const pageToken =
      theirs.body.nextPageToken ??
      Buffer.from(JSON.stringify([new Date().toISOString(), 'f'.repeat(32)])).toString('base64url');
    const { status, body } = await call(name, 'intruder', { pageToken });
    expect(status).toBe(200);
    for (const item of body.entries ?? body.generations) expect(shown).toContain(item.id);
  });
});

describe('an admin', () => {
  const rows: [name: string, what: string, uid: string, expected: [number, string]][] = [
    ['audit', 'a user', 'owner', [200, 'OK']],
    ['audit', 'an unknown uid', 'never-seen', [404, 'NOT_FOUND']],
    ['audit', 'a deleted account', 'erased', [404, 'NOT_FOUND']],
    ['adminAccount', 'a user', 'owner', [200, 'OK']],
    ['adminAccount', 'an unknown uid', 'never-seen', [404, 'NOT_FOUND']],
    ['adminAccount', 'two dots', '..', [400, 'INVALID_REQUEST']],
    ['audit', 'a path', 'owner/entries/signup', [400, 'INVALID_REQUEST']],
    ['audit', 'two dots', '..', [400, 'INVALID_REQUEST']],
    ['audit', 'a name that Firestore reserves', '__all__', [400, 'INVALID_REQUEST']],
    ['audit', 'half of a surrogate pair', '\ud83c', [404, 'NOT_FOUND']],
    ['grant', 'a path', 'owner/entries/signup', [400, 'INVALID_REQUEST']],
    ['grant', 'half of a surrogate pair', '\ud83c', [400, 'INVALID_REQUEST']],
    ['grant', '129 characters', 'u'.repeat(129), [400, 'INVALID_REQUEST']],
  ];

  it.each(rows)('%s of %s', async (name, _, uid, expected) => {
    answerLookups(stack);
    const input = name === 'grant' ? { uid, amount: 1, reason: 'r' } : { uid };
    expect(getOutcome(await call(name, 'admin', input))).toEqual(expected);
  });

  it('is an ordinary user for the functions of users', async () => {
    expect(getOutcome(await call('generation', 'admin', { id: live }))).toEqual([404, 'NOT_FOUND']);
    expect(getOutcome(await call('deleteGeneration', 'admin', { id: live }))).toEqual([404, 'NOT_FOUND']);
  });
});

it('leaves all data of the owner as it was', async () => {
  expect(await stack.ledger('owner')).toEqual(before);
  expect(await brokenInvariants(stack, 'owner')).toEqual([]);
  expect(await brokenInvariants(stack, 'intruder')).toEqual([]);
});
