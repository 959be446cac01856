/** Every refusal as the contract has it: status, reason, advice, the fields at fault; and nothing is charged. */
import { createCanvas } from '@napi-rs/canvas';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { reasons } from '../../shared/reasons.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';

type User = Awaited<ReturnType<Stack['user']>>;
type Server = Awaited<ReturnType<Stack['startServer']>>;

const png = createCanvas(6, 4).toBuffer('image/png');
const origin = 'https://studio.example';
const secretCause = 'the cause that only the log may have';
const lookups = ['health', 'account', 'ledger', 'generation', 'gallery', 'audit'];
const actions = [
  'generate',
  'enhance',
  'deleteGeneration',
  'grant',
  'checkQuota',
  'refillAllowances',
  'sweepHolds',
  'reconcile',
];
const model = 'gemini-2.5-flash-image';

let users = 0;
let stack: Stack;
let gemini: FakeGemini;
/** What every paint waits for. */
let gate: Promise<void> | undefined;
const servers: Server[] = [];
/** The two answers that take seconds, asked for while everything else runs. */
let slow: { databaseUnavailable: Promise<Reply>; shuttingDown: Promise<Reply> };
let stopped: User;

beforeAll(async () => {
  gemini = await startFakeGemini({ apiKey: 'test-gemini-key', onRequest: () => gate });
  stack = await startStack({
    GOOGLE_GEMINI_BASE_URL: gemini.url,
    ALLOWED_ORIGINS: `${origin}, http://localhost:5173`,
  });
  const unreachable = Object.assign(new Error(secretCause), { code: 14 });
  const without = await startServer(
    {},
    {
      database: { ...stack.database, read: () => Promise.reject(unreachable) },
    },
  );
  const databaseUnavailable = (await newUser()).generate('key', {}, without);

  stopped = await newUser();
  const replaced = await stack.startServer();
  const { answer } = await startPainting(stopped, replaced.url);
  void replaced.shutdown();
  slow = { databaseUnavailable, shuttingDown: answer };
});
afterAll(async () => {
  await Promise.all([...servers.map((server) => server.close()), gemini.close()]);
  await stack.close();
});
beforeEach(() => {
  gate = undefined;
  gemini.always(geminiFault.blank());
  stack.cloudinary.always(undefined);
});

async function startServer(...args: Parameters<Stack['startServer']>): Promise<string> {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server.url;
}

function newUser(credits = 10): Promise<User> {
  users += 1;
  return stack.user(`user-${users}`, credits);
}

/** A generation that is being painted for as long as its test wants, under the key `key`. */
async function startPainting(user: User, url?: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const before = gemini.requests.length;
  const answer = user.generate('key', {}, url);
  await vi.waitFor(() => expect(gemini.requests.length).toBe(before + 1), { timeout: 10_000, interval: 5 });
  const id = (await stack.ledger(user.uid)).generations[0]?.id as string;
  return { answer, id, release: resolve };
}

const detailOf = ({ body }: Reply, type: string) =>
  body.error.details.find(
    (detail: { '@type': string }) => detail['@type'] === `type.googleapis.com/google.rpc.${type}`,
  );
const fieldsOf = (reply: Reply): string[] => [
  ...new Set<string>(
    detailOf(reply, 'BadRequest').fieldViolations.map(({ field }: { field: string }) => field),
  ),
];

function expectError(reply: Reply, code: number, status: string, reason: string, retry: string): void {
  const { error } = reply.body;
  expect({ http: reply.status, ...error }).toMatchObject({ http: code, code, status });
  expect(error.message).toMatch(/\S/);
  expect(error.details[0]).toMatchObject({
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'nano-banana-studio',
  });
  expect(error.details[0].metadata.retry).toBe(retry);
  for (const value of Object.values(error.details[0].metadata)) expect(value).toBeTypeOf('string');
  expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
}

function expectBadRequest(reply: Reply, fields: string[]): void {
  expectError(reply, 400, 'INVALID_ARGUMENT', 'INVALID_REQUEST', 'no');
  expect(fieldsOf(reply)).toEqual(fields);
  for (const { description } of detailOf(reply, 'BadRequest').fieldViolations)
    expect(description).not.toBe('');
}

/** An account exactly as the admin made it: no entry, no generation, no books. */
async function expectUntouched({ uid }: User): Promise<void> {
  expect(await stack.ledger(uid)).toEqual({ account: { balance: 10 }, entries: [], generations: [] });
}

describe('the table of errors', () => {
  const painting = (step: GeminiStep) => async () => {
    gemini.always(step);
    return (await newUser()).generate('key');
  };
  /** On a server of its own, and what it has learnt of the model is forgotten. */
  const exhausting = (step: GeminiStep) => async () => {
    gemini.always(step);
    const reply = await (await newUser()).generate('key', {}, await startServer());
    await stack.erase(`quota/${model}`);
    return reply;
  };
  const edited = async (fields: Record<string, unknown>) => {
    const user = await newUser();
    await stack.edit(`accounts/${user.uid}`, fields);
    return user.generate('key');
  };
  const made = async () => {
    const user = await newUser();
    return { user, id: (await user.generate('key')).body.generation.id as string };
  };

  const rows: [reason: string, code: number, status: string, retry: string, () => Promise<Reply>][] = [
    [
      'INVALID_REQUEST',
      400,
      'INVALID_ARGUMENT',
      'no',
      async () => (await newUser()).generate('key', { tier: 'gold' }),
    ],
    ['UNAUTHENTICATED', 401, 'UNAUTHENTICATED', 'no', () => stack.fetch('account')],
    [
      'INSUFFICIENT_CREDITS',
      402,
      'FAILED_PRECONDITION',
      'no',
      async () => (await newUser(0)).generate('key'),
    ],
    [
      'FORBIDDEN',
      403,
      'PERMISSION_DENIED',
      'no',
      async () => {
        const { uid, post } = await newUser();
        return post('grant', { uid, amount: 5, reason: 'wish' }, { 'idempotency-key': 'key' });
      },
    ],
    ['ACCOUNT_SUSPENDED', 403, 'PERMISSION_DENIED', 'no', () => edited({ suspended: true })],
    ['NOT_FOUND', 404, 'NOT_FOUND', 'no', async () => (await newUser()).get('generation?key=never')],
    ['METHOD_NOT_ALLOWED', 405, 'UNIMPLEMENTED', 'no', () => stack.fetch('generate')],
    [
      'IN_PROGRESS',
      409,
      'ABORTED',
      'same_key',
      async () => {
        const user = await newUser();
        const { id, answer, release } = await startPainting(user);
        const reply = await user.post('deleteGeneration', { id });
        release();
        expect((await answer).status).toBe(200);
        expect(detailOf(reply, 'ErrorInfo').metadata.generationId).toBe(id);
        return reply;
      },
    ],
    ['ACCOUNT_INVALID', 409, 'FAILED_PRECONDITION', 'no', () => edited({ balance: 1.5 })],
    [
      'EXPIRED',
      410,
      'ABORTED',
      'new_key',
      async () => {
        const user = await newUser();
        const { id, answer, release } = await startPainting(user);
        await stack.edit(`accounts/${user.uid}/generations/${id}`, { deadline: new Date(0) });
        const reply = await user.generate('key');
        release();
        await answer;
        return reply;
      },
    ],
    [
      'DELETED',
      410,
      'ABORTED',
      'no',
      async () => {
        const { user, id } = await made();
        await user.post('deleteGeneration', { id });
        return user.generate('key');
      },
    ],
    [
      'TOO_LARGE',
      413,
      'INVALID_ARGUMENT',
      'no',
      async () => (await newUser()).post('deleteGeneration', { id: 'x'.repeat(65_536) }),
    ],
    [
      'IDEMPOTENCY_KEY_REUSED',
      422,
      'INVALID_ARGUMENT',
      'new_key',
      async () => (await made()).user.generate('key', { prompt: 'Else' }),
    ],
    ['CONTENT_BLOCKED', 422, 'FAILED_PRECONDITION', 'new_key', painting(geminiFault.noImage('SAFETY'))],
    [
      'REFERENCE_UNREADABLE',
      422,
      'INVALID_ARGUMENT',
      'no',
      async () => {
        const cutOff = { mimeType: 'image/png', data: png.subarray(0, -3).toString('base64') };
        return (await newUser()).generate('key', { references: [cutOff] });
      },
    ],
    [
      'RATE_LIMITED',
      429,
      'RESOURCE_EXHAUSTED',
      'same_key',
      async () => {
        const url = await startServer({ MAX_PER_MINUTE_PER_USER: '1' });
        const user = await newUser();
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
        const url = await startServer({}, { imageGenerator: () => Promise.reject(new Error(secretCause)) });
        return (await newUser()).generate('key', {}, url);
      },
    ],
    ['PROVIDER_MISCONFIGURED', 500, 'INTERNAL', 'new_key', painting(geminiFault.badKey())],
    ['PROVIDER_ERROR', 502, 'UNAVAILABLE', 'new_key', painting(geminiFault.internal())],
    ['NO_IMAGE', 502, 'UNAVAILABLE', 'new_key', painting(geminiFault.noImage('NO_IMAGE'))],
    [
      'STORAGE_ERROR',
      502,
      'UNAVAILABLE',
      'new_key',
      async () => {
        stack.cloudinary.always(cloudinaryFault.error(500));
        return (await newUser()).generate('key');
      },
    ],
    ['PROVIDER_QUOTA', 503, 'UNAVAILABLE', 'new_key', exhausting(geminiFault.perDay())],
    [
      'SPEND_CEILING',
      503,
      'UNAVAILABLE',
      'same_key',
      async () => {
        await made();
        const url = await startServer({ MAX_SPEND_PER_DAY_USD: '0.039' });
        return (await newUser()).generate('key', {}, url);
      },
    ],
    ['PROVIDER_OVERLOADED', 503, 'UNAVAILABLE', 'new_key', painting(geminiFault.highDemand())],
    ['PROVIDER_TIMEOUT', 504, 'DEADLINE_EXCEEDED', 'new_key', painting(geminiFault.deadline())],
    ['SHUTTING_DOWN', 503, 'UNAVAILABLE', 'new_key', () => slow.shuttingDown],
    ['DATABASE_UNAVAILABLE', 503, 'UNAVAILABLE', 'same_key', () => slow.databaseUnavailable],
  ];
  const debited =
    /^(IN_PROGRESS|EXPIRED|DELETED|CONTENT_BLOCKED|INTERNAL|PROVIDER_|NO_IMAGE|STORAGE|SHUTTING)/;

  const waitingHelps = [
    'IN_PROGRESS',
    'RATE_LIMITED',
    'DATABASE_UNAVAILABLE',
    'SHUTTING_DOWN',
    'SPEND_CEILING',
    'PROVIDER_QUOTA',
    'PROVIDER_OVERLOADED',
  ];

  it.each(rows)('%s is %i %s, retry: %s', async (reason, code, status, retry, ask) => {
    const reply = await ask();
    expectError(reply, code, status, reason, retry);
    expect(JSON.stringify(reply.body)).not.toContain(secretCause);
    const byDelete = reason === 'IN_PROGRESS';
    expect(reply.body.receipt !== undefined).toBe(debited.test(reason) && !byDelete);
    if (waitingHelps.includes(reason)) {
      expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(detailOf(reply, 'RetryInfo').retryDelay).toBe(`${reply.headers.get('retry-after')}s`);
    }
  });

  it('has a row for every reason', () => {
    expect(rows.map(([reason]) => reason).sort()).toEqual(Object.keys(reasons).sort());
  });

  it('what is stopped at shutdown is refunded', async () => {
    expect((await slow.shuttingDown).body.receipt).toEqual({
      charged: 1,
      refunded: 1,
      balance: 10,
      sequence: 3,
    });
    expect(await brokenInvariants(stack, stopped.uid)).toEqual([]);
  });

  it('the log has the cause of a 500', async () => {
    const url = await startServer({}, { imageGenerator: () => Promise.reject(new Error(secretCause)) });
    const before = stack.logs.length;
    await (await newUser()).generate('key', {}, url);
    expect(JSON.stringify(stack.logs.slice(before))).toContain(secretCause);
  });
});

describe('a request that does not parse names each field, and charges nothing', () => {
  let user: User;
  beforeAll(async () => {
    user = await newUser();
  });
  const raw = (body: BodyInit, headers: Record<string, string> = {}, path = 'generate') =>
    stack.fetch(path, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${user.token}`,
        'idempotency-key': 'key',
        'content-type': 'application/json',
        ...headers,
      },
    });
  const valid = { prompt: 'A banana', tier: 'standard' };

  it.each<[string, Record<string, unknown>, string[]]>([
    ['no prompt', { prompt: undefined }, ['prompt']],
    ['a number', { prompt: 7 }, ['prompt']],
    ['null', { prompt: null }, ['prompt']],
    ['a list', { prompt: ['A banana'] }, ['prompt']],
    ['an object', { prompt: { text: 'A banana' } }, ['prompt']],
    ['a boolean', { prompt: true }, ['prompt']],
    ['an empty prompt', { prompt: '' }, ['prompt']],
    ['white space', { prompt: ' \n\t\u00a0' }, ['prompt']],
    ['4001 characters', { prompt: 'x'.repeat(4001) }, ['prompt']],
    ['4001 emoji', { prompt: '🍌'.repeat(4001) }, ['prompt']],
    ['NUL', { prompt: 'A\u0000banana' }, ['prompt']],
    ['escape', { prompt: 'A\u001b[31mbanana' }, ['prompt']],
    ['DEL', { prompt: 'A\u007fbanana' }, ['prompt']],
    ['a C1 control', { prompt: 'A\u0085banana' }, ['prompt']],
    ['half of a surrogate pair', { prompt: 'A \ud83c banana' }, ['prompt']],
    ['the other half', { prompt: 'A \udf4c banana' }, ['prompt']],
    ['no tier', { tier: undefined }, ['tier']],
    ['an unknown tier', { tier: 'gold' }, ['tier']],
    ['a tier in capitals', { tier: 'STANDARD' }, ['tier']],
    ['a name that every object has', { tier: 'toString' }, ['tier']],
    ['an unknown orientation', { orientation: 'square' }, ['orientation']],
    ['an unknown key', { model: 'another' }, ['model']],
    ['to enhance as a word', { enhance: 'true' }, ['enhance']],
    ['to enhance as a number', { enhance: 1 }, ['enhance']],
    ['to enhance as null', { enhance: null }, ['enhance']],
    ['fresh as a word', { fresh: 'yes' }, ['fresh']],
    ['fresh as null', { fresh: null }, ['fresh']],
    ['references that are no list', { references: { generationId: 'a'.repeat(32) } }, ['references']],
    ['references as null', { references: null }, ['references']],
    [
      'fifteen references',
      { references: Array.from({ length: 15 }, () => ({ generationId: 'a'.repeat(32) })) },
      ['references'],
    ],
    [
      'more references than the model takes',
      { references: Array.from({ length: 4 }, () => ({ generationId: 'a'.repeat(32) })) },
      ['references'],
    ],
    ['a reference that is a word', { references: ['a'.repeat(32)] }, ['references.0']],
    ['an empty reference', { references: [{}] }, ['references.0']],
    ['a reference by a URL', { references: [{ url: 'https://example.com/a.png' }] }, ['references.0']],
    [
      'a URL beside an id',
      { references: [{ generationId: 'a'.repeat(32), url: 'https://example.com/a.png' }] },
      ['references.0.url'],
    ],
    ['a reference to a path', { references: [{ generationId: '../../x' }] }, ['references.0.generationId']],
    ['a reference without its type', { references: [{ data: png.toString('base64') }] }, ['references.0']],
    [
      'a reference of another type',
      { references: [{ mimeType: 'image/svg+xml', data: png.toString('base64') }] },
      ['references.0'],
    ],
    [
      'a reference that is no base64',
      { references: [{ mimeType: 'image/png', data: 'not base64' }] },
      ['references.0.data'],
    ],
    [
      'a reference that is empty',
      { references: [{ mimeType: 'image/png', data: '' }] },
      ['references.0.data'],
    ],
    [
      'a second reference that is no image',
      {
        references: [
          { mimeType: 'image/png', data: png.toString('base64') },
          { mimeType: 'image/png', data: Buffer.from('a banana').toString('base64') },
        ],
      },
      ['references.1.data'],
    ],
    ['__proto__', JSON.parse('{"__proto__": {"tier": "standard"}}'), ['__proto__']],
    ['constructor', { constructor: 1 }, ['constructor']],
    [
      'everything at once',
      { prompt: '', tier: 1, orientation: 0, a: 1, b: 2 },
      ['prompt', 'tier', 'orientation', 'a', 'b'],
    ],
  ])('%s', async (_, body, fields) => expectBadRequest(await user.generate('key', body), fields));

  it.each<[string, BodyInit, string[]]>([
    ['nothing', '', ['prompt', 'tier']],
    ['half of its JSON', '{"prompt":"A ban', ['body']],
    ['two values', '{}{}', ['body']],
    ['bytes that are no UTF-8', Buffer.from('7b22ff223a317d', 'hex'), ['body']],
    ['a list', '[]', ['body']],
    ['null', 'null', ['body']],
    ['a string', '"A banana"', ['body']],
    ['a number', '1', ['body']],
  ])('a body of %s', async (_, body, fields) => expectBadRequest(await raw(body), fields));

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'text/plain; application/json',
    '',
  ])('content type "%s"', async (type) =>
    expectBadRequest(await raw(JSON.stringify(valid), { 'content-type': type }), ['Content-Type']),
  );

  it.each([
    ['empty', ''],
    ['of white space', '   '],
    ['of 256 characters', 'k'.repeat(256)],
    ['beyond ASCII', 'clé'],
    ['with a tab', 'a\tb'],
  ])('an Idempotency-Key that is %s', async (_, key) => {
    expectBadRequest(await user.generate(key), ['Idempotency-Key']);
  });

  it('no Idempotency-Key, and a bad body as well', async () => {
    expectBadRequest(await user.post('generate', valid), ['Idempotency-Key']);
    expectBadRequest(await user.post('generate', { ...valid, tier: 0 }), ['Idempotency-Key', 'tier']);
  });

  it.each<[string, unknown, string[]]>([
    ['none', {}, ['id']],
    ['a number', { id: 7 }, ['id']],
    ['too short', { id: 'abc' }, ['id']],
    ['in capitals', { id: 'A'.repeat(32) }, ['id']],
    ['a path', { id: '../../accounts/somebody/generations' }, ['id']],
    ['with a line feed', { id: `${'a'.repeat(32)}\n` }, ['id']],
    ['beside another key', { id: 'a'.repeat(32), force: true }, ['force']],
  ])('an id to delete: %s', async (_, body, fields) => {
    expectBadRequest(await user.post('deleteGeneration', body), fields);
  });

  it.each<[string, unknown, string[]]>([
    ['none', {}, ['prompt']],
    ['empty', { prompt: '' }, ['prompt']],
    ['of 4001 characters', { prompt: 'x'.repeat(4001) }, ['prompt']],
    ['beside another key', { prompt: 'A banana', tier: 'standard' }, ['tier']],
  ])('a prompt to enhance: %s', async (_, body, fields) => {
    expectBadRequest(await user.post('enhance', body), fields);
  });

  const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const lookupsThatFail: [string, string[]][] = [
    ['generation', ['id']],
    ['generation?id=', ['id']],
    ['generation?id=abc', ['id']],
    [`generation?id=${'a'.repeat(32)}&key=k`, ['id']],
    [`generation?key=${'k'.repeat(256)}`, ['key']],
    ['generation?key=cl%C3%A9', ['key']],
    [`generation?id=${'a'.repeat(32)}&id=${'b'.repeat(32)}`, ['id']],
    ...['ledger', 'gallery'].flatMap((list): [string, string[]][] => [
      ...['', '0', '-1', '101', '1.5', 'ten', 'NaN', 'Infinity', '1e9'].map((size): [string, string[]] => [
        `${list}?pageSize=${size}`,
        ['pageSize'],
      ]),
      ...['', '%00', 'garbage', token({}), token([]), token([null]), 'x'.repeat(2000)].map(
        (value): [string, string[]] => [`${list}?pageToken=${value}`, ['pageToken']],
      ),
      [`${list}?pageSize=1&pageSize=2`, ['pageSize']],
      [`${list}?page=2`, ['page']],
      [`${list}?__proto__=2`, ['__proto__']],
      [`${list}?pageSize=0&pageToken=&more=1`, ['pageSize', 'pageToken', 'more']],
    ]),
    [`gallery?pageToken=${token([1])}`, ['pageToken']],
    [`ledger?pageToken=${token(['2026-01-01T00:00:00Z', 'a'.repeat(32)])}`, ['pageToken']],
    [`ledger?pageToken=${token([1.5])}`, ['pageToken']],
    [`gallery?pageToken=${token(['yesterday', 'a'.repeat(32)])}`, ['pageToken']],
    [`gallery?pageToken=${token(['2026-01-01T00:00:00Z', '../x'])}`, ['pageToken']],
    [`gallery?pageToken=${token(['2026-01-01T00:00:00Z', '__x__'])}`, ['pageToken']],
    [`gallery?pageToken=${token(['0000-01-01T00:00:00Z', 'a'.repeat(32)])}`, ['pageToken']],
    ['account?uid=somebody', ['uid']],
  ];
  it.each(
    lookupsThatFail.map(([path, fields]): [string, string, string[]] => [path.slice(0, 60), path, fields]),
  )('GET %s', async (_, path, fields) => expectBadRequest(await user.get(path), fields));

  it('and after all of that its account is as it was', () => expectUntouched(user));
});

describe('what is just within the limits is taken', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['4000 characters', 'key', { prompt: 'x'.repeat(4000) }],
    ['4000 emoji, each one character', 'key', { prompt: '🍌'.repeat(4000) }],
    ['lines and tabs', 'key', { prompt: 'A\tbanana\r\non the moon' }],
    ['a key of 255 characters', 'k'.repeat(255), {}],
    [
      'a key of every printable ASCII character',
      String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i)),
      {},
    ],
  ])('%s', async (_, key, body) => {
    expect((await (await newUser()).generate(key, body)).status).toBe(200);
  });

  it('application/json with a charset, in any case', async () => {
    const { token } = await newUser();
    const headers = {
      authorization: `Bearer ${token}`,
      'idempotency-key': 'key',
      'content-type': 'Application/JSON ; charset=utf-8',
    };
    const body = JSON.stringify({ prompt: 'A banana', tier: 'standard' });
    expect((await stack.fetch('generate', { method: 'POST', body, headers })).status).toBe(200);
  });
});

describe('a body over the limit', () => {
  const padded = (body: object, bytes: number) => JSON.stringify(body).padEnd(bytes);
  const asChunks = (text: string) =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < text.length; at += 16_384) {
          controller.enqueue(Buffer.from(text.slice(at, at + 16_384)));
        }
        controller.close();
      },
    });
  const send = (user: User, path: string, body: BodyInit) =>
    stack.fetch(path, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${user.token}`,
        'idempotency-key': 'key',
        'content-type': 'application/json',
      },
      duplex: 'half',
    } as RequestInit);
  const [enhance, generate] = [{ prompt: 'A banana' }, { prompt: 'A banana', tier: 'standard' }];
  const whole = (text: string) => text;

  it.each<[string, object, number, string, (text: string) => BodyInit]>([
    ['enhance', enhance, 65_536, 'with its length', whole],
    ['enhance', enhance, 65_536, 'in chunks of no told length', asChunks],
    ['generate', generate, 19_500_000, 'with its length', whole],
    ['generate', generate, 19_500_000, 'in chunks of no told length', asChunks],
  ])('of %s, %o, is one of more than %i bytes, %s', async (path, body, bytesMax, _, bodyOf) => {
    const user = await newUser();
    for (const bytes of [bytesMax + 1, bytesMax + 3_000_000]) {
      const reply = await send(user, path, bodyOf(padded(body, bytes)));
      expectError(reply, 413, 'INVALID_ARGUMENT', 'TOO_LARGE', 'no');
      expect(detailOf(reply, 'ErrorInfo').metadata.bytesMax).toBe(String(bytesMax));
    }
    await expectUntouched(user);
    expect((await send(user, path, bodyOf(padded(body, bytesMax)))).status).toBe(200);
  });

  it('64 KiB are the limit of every other action', async () => {
    const user = await newUser();
    for (const path of ['deleteGeneration', 'enhance']) {
      const reply = await send(user, path, padded({}, 65_537));
      expectError(reply, 413, 'INVALID_ARGUMENT', 'TOO_LARGE', 'no');
    }
  });
});

describe('a caller who is not signed in gets 401, and nothing is charged', () => {
  const victim = 'victim';
  const seconds = () => Math.floor(Date.now() / 1000);
  type Forgery = { issuer?: string; audience?: string; subject?: string; exp?: number; claims?: object };

  function forge({ issuer, audience, subject = victim, exp, claims }: Forgery) {
    return new SignJWT({ auth_time: seconds(), firebase: { sign_in_provider: 'password' }, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'test' })
      .setSubject(subject)
      .setIssuer(issuer ?? `https://securetoken.google.com/${stack.projectId}`)
      .setAudience(audience ?? stack.projectId)
      .setIssuedAt()
      .setExpirationTime(exp ?? seconds() + 3600)
      .sign(stack.keys.privateKey);
  }
  const bearer = async (token: Promise<string>) => `Bearer ${await token}`;
  const parts = async () => (await forge({})).split('.') as [string, string, string];

  const forgeries: [string, () => Promise<string | undefined>][] = [
    ['no header', async () => undefined],
    ['an empty header', async () => ''],
    ['garbage', async () => 'garbage'],
    ['no token', async () => 'Bearer '],
    ['a token that is none', async () => 'Bearer a.b.c'],
    ['Basic', async () => `Basic ${Buffer.from('victim:password').toString('base64')}`],
    ['the word of the emulators', async () => 'Bearer owner'],
    ['a token without its scheme', () => forge({})],
    ['two tokens', async () => `Bearer ${await forge({})} ${await forge({})}`],
    [
      'the signature of another key',
      async () => {
        const { privateKey } = await generateKeyPair('RS256');
        const token = new SignJWT({ auth_time: seconds() })
          .setProtectedHeader({ alg: 'RS256', kid: 'test' })
          .setSubject(victim)
          .setIssuer(`https://securetoken.google.com/${stack.projectId}`)
          .setAudience(stack.projectId)
          .setIssuedAt()
          .setExpirationTime('1h');
        return bearer(token.sign(privateKey));
      },
    ],
    [
      'claims that were changed',
      async () => {
        const [header, payload, signature] = await parts();
        const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), admin: true };
        return `Bearer ${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
      },
    ],
    [
      'no signature',
      async () => {
        const [header, payload] = await parts();
        return `Bearer ${header}.${payload}.`;
      },
    ],
    [
      'alg none',
      async () => {
        const token = new UnsecuredJWT({ auth_time: seconds() })
          .setSubject(victim)
          .setIssuer(`https://securetoken.google.com/${stack.projectId}`)
          .setAudience(stack.projectId)
          .setIssuedAt()
          .setExpirationTime('1h');
        return `Bearer ${token.encode()}`;
      },
    ],
    ['an expired token', () => bearer(forge({ exp: seconds() - 1 }))],
    ['the token of another project', () => bearer(forge({ audience: 'another' }))],
    ['another issuer', () => bearer(forge({ issuer: 'https://securetoken.google.com/another' }))],
    ['the issuer of service accounts', () => bearer(forge({ issuer: 'https://accounts.google.com' }))],
    ['no subject', () => bearer(forge({ subject: '' }))],
    ['a subject of 129 characters', () => bearer(forge({ subject: 'v'.repeat(129) }))],
    ['a subject that is a path', () => bearer(forge({ subject: 'victim/entries/x' }))],
    ['a sign-in that is yet to come', () => bearer(forge({ claims: { auth_time: seconds() + 600 } }))],
    ['no sign-in', () => bearer(forge({ claims: { auth_time: undefined } }))],
  ];

  it.each(forgeries)('%s', async (_, forged) => {
    const authorization = await forged();
    const reply = await stack.fetch('generate', {
      method: 'POST',
      body: JSON.stringify({ prompt: 'A banana', tier: 'standard' }),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'key',
        ...(authorization !== undefined && { authorization }),
      },
    });
    expectError(reply, 401, 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'no');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    expect(reply.body).not.toHaveProperty('receipt');
  });

  it('a true token of that user is let in, so it was the forgery that was refused', async () => {
    const user = await stack.user(victim, 10);
    await expectUntouched(user);
    const headers = { authorization: `Bearer ${await forge({})}` };
    expect((await stack.fetch('account', { headers })).body.account.balance).toBe(10);
  });

  it.each([...lookups.filter((name) => name !== 'health'), ...actions])('of %s', async (name) => {
    const method = actions.includes(name) ? 'POST' : 'GET';
    expectError(await stack.fetch(name, { method }), 401, 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'no');
  });
});

it.each(['grant', 'audit', 'sweepHolds', 'reconcile'])('%s is not for users', async (name) => {
  const user = await newUser();
  const reply = await (actions.includes(name) ? user.post(name, {}) : user.get(name));
  expectError(reply, 403, 'PERMISSION_DENIED', 'FORBIDDEN', 'no');
  await expectUntouched(user);
});

describe('what is not there', () => {
  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])(
    '%s of an action is 405 and says what is allowed',
    async (method) => {
      for (const name of actions) {
        const reply = await stack.fetch(name, { method });
        expectError(reply, 405, 'UNIMPLEMENTED', 'METHOD_NOT_ALLOWED', 'no');
        expect(reply.headers.get('allow')?.split(', ')).toContain('POST');
      }
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s of a lookup is 405 and says what is allowed',
    async (method) => {
      for (const name of lookups) {
        const reply = await stack.fetch(name, { method });
        expectError(reply, 405, 'UNIMPLEMENTED', 'METHOD_NOT_ALLOWED', 'no');
        expect(reply.headers.get('allow')?.split(', ')).toContain('GET');
      }
    },
  );

  it.each(['', 'nothing', 'Generate', '__proto__', 'constructor', 'toString', '%67enerate'])(
    'a function called "%s" is 404',
    async (name) => {
      for (const method of ['GET', 'POST']) {
        expectError(await stack.fetch(name, { method }), 404, 'NOT_FOUND', 'NOT_FOUND', 'no');
      }
    },
  );

  it('a generation of somebody else is as much 404 as one that never was', async () => {
    const [owner, stranger] = [await newUser(), await newUser()];
    const { id } = (await owner.generate('key')).body.generation;
    const seen = [
      await stranger.get(`generation?id=${id}`),
      await stranger.get('generation?key=key'),
      await stranger.post('deleteGeneration', { id }),
      await stranger.get(`generation?id=${'0'.repeat(32)}`),
    ];
    for (const reply of seen) expectError(reply, 404, 'NOT_FOUND', 'NOT_FOUND', 'no');
    expect(new Set(seen.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await owner.get(`generation?id=${id}`)).body.generation.status).toBe('succeeded');
  });
});

describe('CORS', () => {
  const cors = ({ headers }: Reply) =>
    [...headers.keys()].filter((name) => name.startsWith('access-control-'));
  const from = (origin: string, init: RequestInit = {}) =>
    stack.fetch('account', { ...init, headers: { ...(init.headers as object), origin } });

  it.each([origin, 'http://localhost:5173'])(
    '%s may read answers and errors, and the headers it needs',
    async (allowed) => {
      const { token } = await newUser();
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        const reply = await from(allowed, { headers });
        expect(reply.status).toBe('authorization' in headers ? 200 : 401);
        expect(reply.headers.get('access-control-allow-origin')).toBe(allowed);
        const exposed = reply.headers.get('access-control-expose-headers')?.split(', ');
        expect(exposed).toEqual(expect.arrayContaining(['Retry-After', 'Idempotent-Replayed']));
        expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
        expect(reply.headers.get('vary')).toContain('Origin');
      }
    },
  );

  const others = [
    'https://evil.example',
    'https://studio.example.evil.example',
    'https://studio.example:8443',
    'http://studio.example',
    'https://STUDIO.example',
    `${origin}, http://localhost:5173`,
    'null',
    '*',
  ];
  it.each(others)('%s may read nothing', async (other) => {
    const replies = [
      await from(other),
      await from(other, { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }),
    ];
    for (const reply of replies) {
      expect(cors(reply)).toEqual([]);
      expect(reply.headers.get('vary')).toContain('Origin');
    }
  });

  it.each([
    ['generate', 'POST'],
    ['account', 'GET'],
  ])('a preflight of %s is answered without a caller', async (name, method) => {
    const reply = await stack.fetch(name, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method },
    });
    expect([reply.status, reply.body]).toEqual([204, undefined]);
    expect(reply.headers.get('access-control-allow-origin')).toBe(origin);
    expect(reply.headers.get('access-control-allow-methods')).toBe(method);
    expect(reply.headers.get('access-control-allow-headers')?.toLowerCase().split(', ')).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'idempotency-key']),
    );
    expect(Number(reply.headers.get('access-control-max-age'))).toBeGreaterThan(0);
  });

  it('whoever sends no origin gets none', async () => {
    expect(cors(await stack.fetch('account'))).toEqual([]);
  });
});
