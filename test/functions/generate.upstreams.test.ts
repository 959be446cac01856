/** Whatever an upstream does: the right error, the credits back, the books whole, and none of its words. */
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CloudinaryStep, cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type GeminiStep, geminiFault, googleError, type Part } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';

/** HTTP status and google.rpc.Code, as the contract's table has them. */
const codes = {
  CONTENT_BLOCKED: [422, 'FAILED_PRECONDITION'],
  PROVIDER_MISCONFIGURED: [500, 'INTERNAL'],
  PROVIDER_ERROR: [502, 'UNAVAILABLE'],
  NO_IMAGE: [502, 'UNAVAILABLE'],
  STORAGE_ERROR: [502, 'UNAVAILABLE'],
  PROVIDER_QUOTA: [503, 'UNAVAILABLE'],
  PROVIDER_OVERLOADED: [503, 'UNAVAILABLE'],
  PROVIDER_TIMEOUT: [504, 'DEADLINE_EXCEEDED'],
} as const;
type Reason = keyof typeof codes;
type Failed = { uid: string; reply: Reply; logged: string };
type Expected = {
  reason: Reason;
  metadata?: Record<string, string>;
  inOutbox: boolean;
  /** Whether Google bills it although nothing came of it; what was painted and not stored always is. */
  billed?: boolean;
  /** Whether the answer reports its tokens, so that the prompt is billed. */
  replied?: boolean;
};

const prompt = 'A banana that no log may speak of';
const model = 'gemini-2.5-flash-image';
const paintMicros = 39_000;
/** A token has 4 characters, and input costs $0.30 for a million tokens. */
const promptMicros = Math.ceil(Math.ceil(prompt.length / 4) * 0.3);
const canvas = createCanvas(6, 4);
const png = canvas.toBuffer('image/png');

let stack: Stack;
/** For each test its own, as what one learns of a model would stop the next from asking it. */
let server: { url: string; close: () => Promise<void> };
/** A server that gives up soon, for what never ends. */
let impatient: { url: string; close: () => Promise<void> };
const uids: string[] = [];

beforeAll(async () => {
  stack = await startStack();
  impatient = await stack.startServer({ GENERATE_TIMEOUT_MS: '1000' });
  // The first calls load and connect everything; their time is no part of a deadline that is tested.
  stack.gemini.always(geminiFault.image(png));
  for (const url of [stack.url, impatient.url]) await (await newUser()).generate('warm', {}, url);
});
afterAll(async () => {
  await impatient.close();
  await stack.close();
});
beforeEach(async () => {
  await stack.erase(`quota/${model}`);
  server = await stack.startServer({}, { database: { ...stack.database, close: async () => {} } });
});
afterEach(async () => {
  stack.gemini.always(undefined);
  stack.cloudinary.always(undefined);
  await server.close();
});

function newUser() {
  const uid = `user-${uids.length}`;
  uids.push(uid);
  return stack.user(uid, 10);
}

/** A generation of two credits by a new user, and what was logged meanwhile. */
async function fail(url = server.url): Promise<Failed> {
  const user = await newUser();
  const logsBefore = stack.logs.length;
  const reply = await user.generate('key', { tier: 'premium2', prompt }, url);
  return { uid: user.uid, reply, logged: JSON.stringify(stack.logs.slice(logsBefore)) };
}

const detailOf = ({ body }: Reply, type: string) =>
  body.error.details.find((detail: { '@type': string }) => detail['@type'].endsWith(`google.rpc.${type}`));

async function expectRefunded(
  { uid, reply, logged }: Failed,
  { reason, metadata, inOutbox, billed = inOutbox, replied = false }: Expected,
) {
  const [code, status] = codes[reason];
  expect(detailOf(reply, 'ErrorInfo')).toMatchObject({ reason, domain: 'nano-banana-studio' });
  expect(detailOf(reply, 'ErrorInfo').metadata).toEqual({ ...metadata, retry: 'new_key' });
  expect({ http: reply.status, ...reply.body.error }).toMatchObject({ http: code, code, status });
  expect(reply.body.receipt).toEqual({ charged: 2, refunded: 2, balance: 10, sequence: 3 });

  const { account, entries, generations } = await stack.ledger(uid);
  const id = generations[0]?.id as string;
  expect(account).toMatchObject({ balance: 10, settled: 10, sequence: 3 });
  expect(account.active).not.toHaveProperty(id);
  expect(entries.map(({ type, amount }) => [type, amount])).toEqual([
    ['adjustment', 10],
    ['debit', -2],
    ['refund', 2],
  ]);
  expect(entries[2]).toMatchObject({ id: `${id}:refund`, generationId: id, reason });
  expect(generations).toMatchObject([
    {
      status: 'refunded',
      failure: { reason },
      image: null,
      providerCostMicros: billed ? paintMicros : replied ? promptMicros : 0,
    },
  ]);
  expect(await brokenInvariants(stack, uid)).toEqual([]);
  const item = await stack.document(`outbox/${id}`);
  expect(item?.publicId).toBe(inOutbox ? generations[0]?.publicId : undefined);

  for (const secret of [prompt, 'test-gemini-key', 'test-secret']) expect(logged).not.toContain(secret);
}

/** The vendor's own words in a step, by the head and tail of each line: sentences and addresses, no bare codes. */
function wordsOf(value: unknown, key = ''): string[] {
  if (['@type', 'headers', 'mimeType'].includes(key)) return [];
  if (typeof value === 'string') {
    const lines = value.split('\n').filter((line) => line.length > 8 && /[ /]/.test(line));
    return lines.flatMap((line) => [line.slice(0, 24), line.slice(-24)]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => wordsOf(inner, name));
}

function expectNoWordsOf(step: object, { reply, logged }: Failed): void {
  for (const words of wordsOf(step)) {
    expect(JSON.stringify(reply.body)).not.toContain(words);
    expect(logged).not.toContain(words);
  }
}

const answer = (parts: Part[]): GeminiStep => ({
  kind: 'answer',
  body: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }] },
});
const inline = (bytes: Uint8Array, more: Partial<Part> = {}): Part => ({
  inlineData: { mimeType: 'image/png', data: Buffer.from(bytes).toString('base64') },
  ...more,
});
const replies = (code: number, status: string, message: string): GeminiStep => ({
  kind: 'reply',
  ...googleError(code, status, message),
});

describe('when Gemini fails, nothing is charged and nothing of its words is told', () => {
  it.each<[string, GeminiStep, Reason, billed?: 'billed']>([
    ['400', replies(400, 'INVALID_ARGUMENT', '* GenerateContentRequest.contents: bad'), 'PROVIDER_ERROR'],
    ['a bad key', geminiFault.badKey(), 'PROVIDER_MISCONFIGURED'],
    ['a bad region', geminiFault.badRegion(), 'PROVIDER_MISCONFIGURED'],
    ['401', replies(401, 'UNAUTHENTICATED', 'Request had no valid key.'), 'PROVIDER_MISCONFIGURED'],
    ['403', geminiFault.forbidden(), 'PROVIDER_MISCONFIGURED'],
    ['404', geminiFault.notFound(), 'PROVIDER_MISCONFIGURED'],
    ['404 of a retired model', geminiFault.noLongerAvailable(), 'PROVIDER_MISCONFIGURED'],
    ['429 per minute', geminiFault.perMinute(20), 'PROVIDER_QUOTA'],
    ['429 per day', geminiFault.perDay(), 'PROVIDER_QUOTA'],
    ['429 of no quota at all', geminiFault.limitZero(), 'PROVIDER_QUOTA'],
    ['429 of depleted credits', geminiFault.prepaymentDepleted(), 'PROVIDER_QUOTA'],
    ['499', replies(499, 'CANCELLED', 'The operation was cancelled.'), 'PROVIDER_ERROR'],
    ['500', geminiFault.internal(), 'PROVIDER_ERROR'],
    ['503', geminiFault.highDemand(), 'PROVIDER_OVERLOADED'],
    ['504', geminiFault.deadline(), 'PROVIDER_TIMEOUT'],
    ['an empty body', geminiFault.emptyBody(), 'PROVIDER_ERROR', 'billed'],
    ['an empty body with 500', geminiFault.emptyBody(500), 'PROVIDER_ERROR'],
    ['a page with 200', geminiFault.html(200), 'PROVIDER_ERROR', 'billed'],
    ['a page with 502', geminiFault.html(502), 'PROVIDER_ERROR'],
    ['a page with 503', geminiFault.html(503), 'PROVIDER_OVERLOADED'],
    ['a reset before the headers', geminiFault.reset(), 'PROVIDER_ERROR'],
    ['a reset after the headers', geminiFault.reset('after-headers'), 'PROVIDER_ERROR', 'billed'],
    ['half of the JSON', geminiFault.truncate(), 'PROVIDER_ERROR', 'billed'],
    ['JSON of another shape', { kind: 'answer', body: { hello: 'the world of bananas' } }, 'NO_IMAGE'],
    ['an empty image', geminiFault.emptyImage(), 'NO_IMAGE', 'billed'],
    ['what is no image', geminiFault.notAnImage(), 'NO_IMAGE', 'billed'],
    ['the first bytes of a PNG', geminiFault.image(png.subarray(0, 8)), 'NO_IMAGE', 'billed'],
    [
      'a GIF',
      geminiFault.image(Buffer.from('474946383961060004008000000000003b', 'hex')),
      'NO_IMAGE',
      'billed',
    ],
    [
      'an SVG',
      geminiFault.image(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="6" height="4"/>')),
      'NO_IMAGE',
      'billed',
    ],
    ['a 200 larger than any', geminiFault.textOnly('banana '.repeat(1_500_000)), 'PROVIDER_ERROR', 'billed'],
    ['a thought of a blocked image', geminiFault.thoughtOnly(png, 'IMAGE_SAFETY'), 'CONTENT_BLOCKED'],
  ])('%s', async (what, step, reason, billed) => {
    stack.gemini.always(step);
    const failed = await fail();
    const finishReason = {
      'a thought of a blocked image': 'IMAGE_SAFETY',
      'JSON of another shape': 'NO_CANDIDATE',
    }[what];
    await expectRefunded(failed, {
      reason,
      inOutbox: false,
      billed: billed === 'billed',
      replied: finishReason !== undefined,
      ...(finishReason && { metadata: { finishReason } }),
    });
    expectNoWordsOf(step, failed);
  });

  it('silence, and a response that drips without end, end at the deadline', async () => {
    stack.gemini.script(geminiFault.hang(), geminiFault.drip(50));
    for (const failed of await Promise.all([fail(impatient.url), fail(impatient.url)])) {
      await expectRefunded(failed, { reason: 'PROVIDER_TIMEOUT', inOutbox: false, billed: true });
    }
  });
});

describe('how long to wait is told where waiting helps', () => {
  it('429 per minute: its RetryInfo is passed on', async () => {
    stack.gemini.always(geminiFault.perMinute(20));
    const { reply } = await fail();
    expect(detailOf(reply, 'RetryInfo')).toMatchObject({ retryDelay: '20s' });
    expect(reply.headers.get('retry-after')).toBe('20');
  });

  it('503: some seconds', async () => {
    stack.gemini.always(geminiFault.highDemand());
    const { reply } = await fail();
    expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(detailOf(reply, 'RetryInfo').retryDelay).toBe(`${reply.headers.get('retry-after')}s`);
  });

  it.each([
    ['a day', geminiFault.perDay()],
    ['no quota at all', geminiFault.limitZero()],
  ])('429 of %s: not the one second that its RetryInfo says', async (_, step) => {
    stack.gemini.always(step);
    const { reply } = await fail();
    expect(reply.headers.get('retry-after')).not.toBe('1');
  });
});

describe('the cause of a failure is in the log, for whoever has to mend it', () => {
  it.each([
    ['a bad key', geminiFault.badKey(), 'API_KEY_INVALID'],
    ['403', geminiFault.forbidden(), '403 PERMISSION_DENIED'],
    ['500', geminiFault.internal(), '500 INTERNAL'],
    ['429', geminiFault.perDay(), '429 RESOURCE_EXHAUSTED'],
  ])('Gemini: %s', async (_, step, cause) => {
    stack.gemini.always(step);
    expect((await fail()).logged).toContain(cause);
  });

  it.each([401, 503] as const)('Cloudinary: %i', async (status) => {
    stack.gemini.always(geminiFault.image(png));
    stack.cloudinary.always(cloudinaryFault.error(status));
    expect((await fail()).logged).toContain(`Cloudinary failed: ${status}`);
  });
});

describe('a reply without an image is told apart by its finish reason', () => {
  const blocked = [
    'IMAGE_SAFETY',
    'IMAGE_PROHIBITED_CONTENT',
    'PROHIBITED_CONTENT',
    'IMAGE_RECITATION',
    'SAFETY',
    'RECITATION',
  ];
  const broken = ['NO_IMAGE', 'IMAGE_OTHER', 'MAX_TOKENS', 'MALFORMED_RESPONSE'];
  it.each<[string, Reason]>([
    ...blocked.map((finishReason): [string, Reason] => [finishReason, 'CONTENT_BLOCKED']),
    ...broken.map((finishReason): [string, Reason] => [finishReason, 'NO_IMAGE']),
  ])('%s is %s', async (finishReason, reason) => {
    const step = geminiFault.noImage(finishReason);
    stack.gemini.always(step);
    const failed = await fail();
    await expectRefunded(failed, { reason, metadata: { finishReason }, inOutbox: false, replied: true });
    expectNoWordsOf(step, failed);
  });

  it.each(['empty', 'null-parts', 'role-only'] as const)('content in its %s form', async (form) => {
    stack.gemini.always(geminiFault.noImage('IMAGE_SAFETY', 'The model stopped.', form));
    const metadata = { finishReason: 'IMAGE_SAFETY' };
    await expectRefunded(await fail(), {
      reason: 'CONTENT_BLOCKED',
      metadata,
      inOutbox: false,
      replied: true,
    });
  });

  it.each(['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'])(
    'a prompt that is refused for %s',
    async (finishReason) => {
      stack.gemini.always(geminiFault.promptBlocked(finishReason));
      const failed = await fail();
      await expectRefunded(failed, {
        reason: 'CONTENT_BLOCKED',
        metadata: { finishReason },
        inOutbox: false,
        replied: true,
      });
    },
  );

  it('only text: the text is told, and not logged', async () => {
    const text = 'I would rather describe this banana.';
    stack.gemini.always(geminiFault.textOnly(text));
    const failed = await fail();
    const metadata = { finishReason: 'STOP' };
    await expectRefunded(failed, { reason: 'NO_IMAGE', metadata, inOutbox: false, replied: true });
    expect(failed.reply.body.error.message).toContain(text);
    expect(failed.logged).not.toContain(text);
  });

  it('a long text is cut off', async () => {
    stack.gemini.always(geminiFault.textOnly('banana '.repeat(1000)));
    expect((await fail()).reply.body.error.message.length).toBeLessThan(400);
  });
});

describe('the image that is painted is the one that is stored, to the byte', () => {
  const other = createCanvas(3, 5).toBuffer('image/png');

  async function painted(step: GeminiStep | undefined) {
    stack.gemini.always(step);
    const user = await newUser();
    const { status, body } = await user.generate('key', { prompt: 'Two bananas' }, server.url);
    expect(status).toBe(200);
    const delivered = Buffer.from(await (await fetch(body.generation.image.url)).arrayBuffer());
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
    return { image: body.generation.image, delivered };
  }

  it.each<[string, Buffer, string]>([
    ['PNG', png, 'image/png'],
    ['JPEG', canvas.toBuffer('image/jpeg'), 'image/jpeg'],
    ['WebP', canvas.toBuffer('image/webp'), 'image/webp'],
  ])('%s, whatever type it was declared as', async (_, bytes, mimeType) => {
    const { image, delivered } = await painted(geminiFault.image(bytes, 'image/gif'));
    expect(image).toMatchObject({ mimeType, width: 6, height: 4, bytes: bytes.length });
    expect(delivered.equals(bytes)).toBe(true);
  });

  it('of several images the last that is no thought', async () => {
    const { image, delivered } = await painted(
      answer([
        { text: 'Composing', thought: true },
        inline(other, { thought: true }),
        inline(other),
        { text: 'Here is your image:' },
        inline(png),
        inline(other, { thought: true }),
      ]),
    );
    expect(image).toMatchObject({ width: 6, height: 4 });
    expect(delivered.equals(png)).toBe(true);
  });

  it('a draft before the picture leaves the picture as it is', async () => {
    const plain = await painted(undefined);
    const drafted = await painted(geminiFault.drafts());
    expect(drafted.delivered.equals(plain.delivered)).toBe(true);
  });
});

describe('when Cloudinary fails, nothing is charged and what may be stored is in the outbox', () => {
  const stored = (body: object, afterWork = false): CloudinaryStep => ({
    kind: 'reply',
    status: 200,
    body,
    afterWork,
  });
  const somebody = {
    public_id: 'somebody/else',
    version: 1,
    secure_url: 'https://res.cloudinary.com/test/image/upload/v1/somebody/else.png',
  };

  it.each<[string, CloudinaryStep]>([
    ['400', cloudinaryFault.error(400)],
    ['401, which echoes what was signed', cloudinaryFault.error(401)],
    ['403', cloudinaryFault.error(403)],
    ['420', cloudinaryFault.rateLimited()],
    ['423', cloudinaryFault.error(423)],
    ['500', cloudinaryFault.error(500)],
    ['502', cloudinaryFault.error(502)],
    ['503', cloudinaryFault.error(503)],
    ['a page with 502', cloudinaryFault.html(502)],
    ['a page with 200', cloudinaryFault.html(200)],
    ['an empty body', cloudinaryFault.emptyBody()],
    ['half of the JSON, the image stored', cloudinaryFault.truncate()],
    ['a reset', cloudinaryFault.reset()],
    ['a reset, the image stored', cloudinaryFault.storedThenReset()],
    ['a reset in the middle of the answer', cloudinaryFault.storedThenReset('after-headers')],
    ['500, the image stored', { ...cloudinaryFault.error(500), afterWork: true }],
    ['an answer that names another image', stored(somebody)],
    ['an answer that names another image, ours stored', stored(somebody, true)],
    ['an answer without an address', stored({ public_id: 'x', version: 1 }, true)],
  ])('%s', async (_, step) => {
    stack.gemini.always(geminiFault.image(png));
    stack.cloudinary.always(step);
    const failed = await fail();
    await expectRefunded(failed, { reason: 'STORAGE_ERROR', inOutbox: true });
    expectNoWordsOf(step, failed);
    expect(failed.logged).not.toMatch(/timestamp=|signature/i);
  });

  it('silence, the image stored or not, and a response that drips without end, end at the deadline', async () => {
    stack.gemini.always(geminiFault.image(png));
    const silence = cloudinaryFault.hang();
    stack.cloudinary.script(silence, { ...silence, afterWork: true }, cloudinaryFault.drip(50));
    for (const failed of await Promise.all([1, 2, 3].map(() => fail(impatient.url)))) {
      await expectRefunded(failed, { reason: 'PROVIDER_TIMEOUT', inOutbox: true });
    }
  });

  it('an upload that only takes its time is no failure', async () => {
    stack.gemini.always(geminiFault.image(png));
    stack.cloudinary.always(cloudinaryFault.delay(100));
    expect((await fail()).reply.status).toBe(200);
  });
});

it('after all of that, every image in the store is a succeeded one or in the outbox', async () => {
  expect(stack.cloudinary.assets.size).toBeGreaterThan(0);
  expect(await strayImages(stack, uids)).toEqual([]);
});
