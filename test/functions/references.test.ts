/** Reference images: checked before any debit, fetched from our own store alone, kept as hashes. */
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { generateBodyBytesMax } from '../../shared/generation/references.ts';
import { brokenInvariants, missingImages, strayImages } from '../support/invariants.ts';
import { startPaintGate } from '../support/paintGate.ts';
import { onePixelPng, squarePng } from '../support/pictures.ts';
import { refusalOf } from '../support/scheduler.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';
import { type Hooks, newGeneration, once, watchedDatabase } from '../support/watchedDatabase.ts';

const canvas = createCanvas(1024, 1024);
const pictures = {
  'image/png': canvas.toBuffer('image/png'),
  'image/jpeg': canvas.toBuffer('image/jpeg'),
  'image/webp': canvas.toBuffer('image/webp'),
};
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const megabyte = 1_000_000;
/** A picture of so many bytes: what follows a PNG's end is nobody's. */
const padded = (bytes: number) => Buffer.concat([squarePng, Buffer.alloc(bytes - squarePng.length)]);

const uids: string[] = [];
const hooks: Hooks = {};
let stack: Stack;
let other: { url: string; close: () => Promise<void> };

beforeAll(async () => {
  stack = await startStack();
  other = await stack.startServer({}, { database: watchedDatabase(stack.database, hooks).database });
});
afterAll(async () => {
  await other.close();
  await stack.close();
});
beforeEach(() => {
  for (const name of Object.keys(hooks)) delete hooks[name as keyof Hooks];
  stack.gemini.always(geminiFault.blank());
});

async function newUser(credits = 20) {
  const uid = `user-${uids.length}`;
  uids.push(uid);
  const user = await stack.user(uid, credits);
  return {
    ...user,
    refer: (key: string, references: unknown, url?: string) =>
      user.generate(key, { tier: 'premium2', references }, url),
    path: (key: string) => `accounts/${uid}/generations/${hashGenerationId(uid, key)}`,
    stored: (key: string) => stack.document(`accounts/${uid}/generations/${hashGenerationId(uid, key)}`),
  };
}
type User = Awaited<ReturnType<typeof newUser>>;

/** A user with a finished image under `a`, by its id. */
async function imageGenerator(bytes = pictures['image/jpeg']) {
  const user = await newUser();
  stack.gemini.script(geminiFault.image(bytes));
  const { status, body } = await user.generate('a');
  expect(status).toBe(200);
  return { user, id: body.generation.id as string, image: body.generation.image as { url: string } };
}

const inline = (bytes: Buffer, mimeType = 'image/png') => ({ mimeType, data: bytes.toString('base64') });
const asked = () => stack.gemini.requests.length;
const deliveries = () => stack.cloudinary.requests.filter(({ action }) => action === 'deliver');
const violations = ({ body }: Reply) => body.error.details[1].fieldViolations;

/** The images of the last request that the model was sent. */
function sentImages() {
  const body = stack.gemini.requests.at(-1)?.body as {
    contents: { parts: { inlineData?: { mimeType: string; data: string } }[] }[];
  };
  return body.contents.flatMap(({ parts }) => parts).flatMap(({ inlineData }) => inlineData ?? []);
}

/** Nothing was debited, nothing begun, and the key is as good as new. */
async function expectUntouched(user: User, key: string, askedBefore: number) {
  expect(await user.stored(key)).toBeUndefined();
  const { entries } = await stack.ledger(user.uid);
  expect(entries.filter(({ generationId }) => generationId === hashGenerationId(user.uid, key))).toEqual([]);
  expect(asked()).toBe(askedBefore);
}

async function expectRefunded(user: User, key: string, reason: string) {
  expect(await user.stored(key)).toMatchObject({ status: 'refunded', failure: { reason } });
  const { entries } = await stack.ledger(user.uid);
  expect(entries.slice(-2).map(({ type, amount }) => [type, amount])).toEqual([
    ['debit', -2],
    ['refund', 2],
  ]);
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  expect(await strayImages(stack, [user.uid])).toEqual([]);
}

describe('references', () => {
  it('inline are sent to the model as they are, in their order, with the type that their bytes say', async () => {
    const user = await newUser();
    const bytes = Object.values(pictures);
    const { status, body } = await user.refer('k', [
      inline(pictures['image/png'], 'image/webp'),
      inline(pictures['image/jpeg'], 'image/png'),
      inline(pictures['image/webp'], 'image/jpeg'),
    ]);
    expect([status, body.receipt.charged]).toEqual([200, 2]);
    expect(sentImages()).toEqual(
      Object.keys(pictures).map((mimeType, i) => ({ mimeType, data: bytes[i]?.toString('base64') })),
    );
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('from the gallery are fetched from the store, and sent beside inline ones', async () => {
    const { user, id, image } = await imageGenerator();
    const before = deliveries().length;
    const { status } = await user.refer('b', [{ generationId: id }, inline(onePixelPng)]);
    expect(status).toBe(200);
    expect(deliveries().slice(before)).toMatchObject([{ path: new URL(image.url).pathname }]);
    expect(sentImages()).toEqual([
      { mimeType: 'image/jpeg', data: pictures['image/jpeg'].toString('base64') },
      { mimeType: 'image/png', data: onePixelPng.toString('base64') },
    ]);
    expect(await missingImages(stack, [user.uid])).toEqual([]);
  });

  it('may name one image twice', async () => {
    const { user, id } = await imageGenerator();
    expect((await user.refer('b', [{ generationId: id }, { generationId: id }])).status).toBe(200);
    expect(sentImages()).toHaveLength(2);
  });

  it('are kept as hashes: no bytes in any document, nor in the log', async () => {
    const { user, id } = await imageGenerator();
    const data = pictures['image/webp'].toString('base64');
    await user.refer('b', [{ generationId: id }, inline(pictures['image/webp'])]);
    const stored = await user.stored('b');
    expect(stored?.request).toEqual({
      enhance: false,
      fresh: false,
      references: [`generation:${id}`, expect.stringMatching(/^[0-9a-f]{64}$/)],
    });
    const { body } = await user.get(`generation?key=b`);
    for (const said of [await stack.ledger(user.uid), stack.logs, body]) {
      expect(JSON.stringify(said)).not.toContain(data);
      expect(JSON.stringify(said)).not.toContain(data.slice(0, 40));
    }
  });

  it('are part of what a key stands for', async () => {
    const { user, id } = await imageGenerator();
    const references = [{ generationId: id }, inline(onePixelPng)];
    const first = await user.refer('b', references);
    const again = await user.refer('b', references);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(again.body).toEqual(first.body);
    for (const others of [
      [],
      [references[0]],
      references.toReversed(),
      [references[0], inline(pictures['image/png'])],
    ]) {
      expect(refusalOf(await user.refer('b', others))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
  });

  it('are told again by their key, whatever has become of them', async () => {
    const { user, id } = await imageGenerator();
    const first = await user.refer('b', [{ generationId: id }]);
    await user.post('deleteGeneration', { id });
    expect((await user.refer('b', [{ generationId: id }])).body).toEqual(first.body);
  });
});

describe('a request is refused before any debit', () => {
  const png = inline(onePixelPng);
  it.each<[string, unknown[], string]>([
    ['with more than the model takes', [png, png, png, png], 'references'],
    ['with more than any model takes', Array(15).fill(png), 'references'],
    ['with text for an image', [inline(Buffer.from('not an image'))], 'references.0.data'],
    ['with a GIF', [png, inline(gif)], 'references.1.data'],
    ['with half a header', [inline(onePixelPng.subarray(0, 12))], 'references.0.data'],
    ['with bad base64', [{ ...png, data: '@@@@' }], 'references.0.data'],
    ['with base64 of the wrong length', [{ ...png, data: `${png.data}A` }], 'references.0.data'],
    ['with base64url', [{ ...png, data: 'ab-_' }], 'references.0.data'],
    ['with a data URL', [{ ...png, data: `data:image/png;base64,${png.data}` }], 'references.0.data'],
    ['with nothing', [{ ...png, data: '' }], 'references.0.data'],
    ['declared as a GIF', [{ ...png, mimeType: 'image/gif' }], 'references.0'],
    ['with an address', [{ url: 'https://example.com/a.png' }], 'references.0'],
    ['with an address for data', [{ ...png, data: 'https://example.com/a.png' }], 'references.0.data'],
    ['with an address beside it', [{ ...png, url: 'https://example.com/a.png' }], 'references.0.url'],
    [
      'with an address for an id',
      [{ generationId: 'https://example.com/a.png' }],
      'references.0.generationId',
    ],
    ['with a path for an id', [{ generationId: '../../accounts/a' }], 'references.0.generationId'],
    ['with both kinds in one', [{ ...png, generationId: '0'.repeat(32) }], 'references.0'],
  ])('%s: 400', async (_, references, field) => {
    const user = await newUser();
    const before = asked();
    const answer = await user.refer('k', references);
    expect(refusalOf(answer)).toEqual([400, 'INVALID_REQUEST']);
    expect(violations(answer).map((violation: { field: string }) => violation.field)).toContain(field);
    expect(answer.body).not.toHaveProperty('receipt');
    await expectUntouched(user, 'k', before);
  });

  it('with too many for the model, of which others take more', async () => {
    const user = await newUser();
    const { url, close } = await stack.startServer({ IMAGEGEN_MODEL_ID: 'gemini-nano-banana-2.1' });
    expect((await user.refer('k', Array(14).fill(png), url)).status).toBe(200);
    expect(sentImages()).toHaveLength(14);
    await close();
  });

  it('too large together, inline and from the gallery', async () => {
    const { user, id } = await imageGenerator(padded(8 * megabyte));
    const before = asked();
    const tooMuch = [{ generationId: id }, inline(padded(6 * megabyte + 1))];
    const answer = await user.refer('b', tooMuch);
    expect(refusalOf(answer)).toEqual([400, 'INVALID_REQUEST']);
    expect(violations(answer)).toMatchObject([{ field: 'references' }]);
    await expectUntouched(user, 'b', before);
    const inlineAlone = await user.refer('b', [
      inline(padded(7 * megabyte)),
      inline(padded(7 * megabyte + 3)),
    ]);
    expect(refusalOf(inlineAlone)).toEqual([400, 'INVALID_REQUEST']);
    await expectUntouched(user, 'b', before);
    const asMuchAsMayBe = [{ generationId: id }, inline(padded(6 * megabyte))];
    expect((await user.refer('b', asMuchAsMayBe)).status).toBe(200);
    expect(sentImages()).toHaveLength(2);
  });

  it('with a body over its limit: 413', async () => {
    const user = await newUser();
    const before = asked();
    const prompt = 'x'.repeat(generateBodyBytesMax);
    const answer = await user.generate('k', { prompt });
    expect(refusalOf(answer)).toEqual([413, 'TOO_LARGE']);
    expect(generateBodyBytesMax).toBe(19_500_000);
    await expectUntouched(user, 'k', before);
  });

  it.each<[string, (user: User) => Promise<string>]>([
    ['an unknown id', async () => 'f'.repeat(32)],
    ['its own id', async ({ uid }) => hashGenerationId(uid, 'b')],
    ["somebody else's id", async () => (await imageGenerator()).id],
    [
      'a refunded generation',
      async (user) => {
        stack.gemini.script(geminiFault.noImage('SAFETY'));
        expect((await user.generate('refunded')).status).toBe(422);
        return hashGenerationId(user.uid, 'refunded');
      },
    ],
    [
      'a deleted generation',
      async (user) => {
        const { id } = (await user.generate('deleted')).body.generation;
        await user.post('deleteGeneration', { id });
        return id;
      },
    ],
  ])('with %s: 404', async (_, find) => {
    const user = await newUser();
    const id = await find(user);
    const before = asked();
    const delivered = deliveries().length;
    const answer = await user.refer('b', [inline(onePixelPng), { generationId: id }]);
    expect(refusalOf(answer)).toEqual([404, 'NOT_FOUND']);
    expect(answer.body).not.toHaveProperty('receipt');
    expect(deliveries()).toHaveLength(delivered);
    await expectUntouched(user, 'b', before);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('with a generation that is still being painted: 404', async () => {
    const gate = await startPaintGate();
    const { url, close } = await stack.startServer({ GOOGLE_GEMINI_BASE_URL: gate.url });
    const user = await newUser();
    const painting = await gate.during(
      () => user.generate('a', {}, url),
      async () => {
        const answer = await user.refer('b', [{ generationId: hashGenerationId(user.uid, 'a') }], url);
        expect(refusalOf(answer)).toEqual([404, 'NOT_FOUND']);
        expect(await user.stored('b')).toBeUndefined();
      },
    );
    expect(painting.status).toBe(200);
    expect((await user.refer('b', [{ generationId: painting.body.generation.id }], url)).status).toBe(200);
    await close();
    await gate.close();
  });
});

describe('a reference that cannot be fetched after the debit', () => {
  it('because it was deleted meanwhile: refunded', async () => {
    const { user, id } = await imageGenerator();
    const before = asked();
    hooks.afterCommit = once(
      (writes) => newGeneration(writes)?.status === 'pending',
      async () => void expect((await user.post('deleteGeneration', { id })).status).toBe(200),
    );
    const answer = await user.refer('b', [{ generationId: id }], other.url);
    expect(refusalOf(answer)).toEqual([404, 'NOT_FOUND']);
    expect(answer.body.error.details[0].metadata.retry).toBe('new_key');
    expect(answer.body.receipt).toMatchObject({ charged: 2, refunded: 2 });
    expect(asked()).toBe(before);
    await expectRefunded(user, 'b', 'NOT_FOUND');
  });

  it.each([
    ['an error', cloudinaryFault.error(500)],
    ['a broken connection', cloudinaryFault.reset()],
    ['a page in place of the image', cloudinaryFault.html(200 as 502)],
    ['an empty answer', cloudinaryFault.emptyBody(200)],
  ])('because the store answers with %s: refunded', async (_, fault) => {
    const { user, id } = await imageGenerator();
    const before = asked();
    stack.cloudinary.script({ action: 'deliver', ...fault });
    const answer = await user.refer('b', [{ generationId: id }]);
    expect(refusalOf(answer)).toEqual([502, 'STORAGE_ERROR']);
    expect(answer.body.receipt).toMatchObject({ charged: 2, refunded: 2 });
    expect(asked()).toBe(before);
    await expectRefunded(user, 'b', 'STORAGE_ERROR');
  });

  it('because the store never answers: 504 at the deadline, refunded', async () => {
    const { user, id } = await imageGenerator();
    const { url, close } = await stack.startServer({ GENERATE_TIMEOUT_MS: '1500' });
    await user.generate('warm', {}, url);
    stack.cloudinary.script({ action: 'deliver', ...cloudinaryFault.hang() });
    expect(refusalOf(await user.refer('b', [{ generationId: id }], url))).toEqual([504, 'PROVIDER_TIMEOUT']);
    await expectRefunded(user, 'b', 'PROVIDER_TIMEOUT');
    await close();
  });

  it.each([
    ['another host', () => 'http://127.0.0.1:9/test/image/upload/v1/a.png'],
    ['another host in the guise of the store', () => `${stack.cloudinary.url}@127.0.0.1:9/a.png`],
    ['a file', () => 'file:///etc/passwd'],
    ['the metadata server', () => 'http://169.254.169.254/computeMetadata/v1/'],
  ])('because its document names %s: never fetched, refunded', async (_, address) => {
    const { user, id } = await imageGenerator();
    const document = await user.stored('a');
    const image = { ...(document?.image as object), url: address() };
    await stack.database.commit([{ set: user.path('a'), data: { ...document, image } }]);
    const [before, delivered] = [asked(), deliveries().length];
    const fetched: string[] = [];
    const real = globalThis.fetch;
    globalThis.fetch = (input, init) => {
      fetched.push(String(input instanceof Request ? input.url : input));
      return real(input, init);
    };
    const answer = await user.refer('b', [{ generationId: id }]).finally(() => {
      globalThis.fetch = real;
    });
    expect(refusalOf(answer)).toEqual([502, 'STORAGE_ERROR']);
    expect(fetched.filter((url) => !url.startsWith(stack.url))).toEqual([]);
    expect([asked(), deliveries().length]).toEqual([before, delivered]);
    await expectRefunded(user, 'b', 'STORAGE_ERROR');
  });

  it('because the store sends it elsewhere: not followed, not even to an image; refunded', async () => {
    const { user, id, image } = await imageGenerator();
    const before = deliveries().length;
    const headers = { location: image.url };
    stack.cloudinary.script({ action: 'deliver', kind: 'reply', status: 302, headers, body: '' });
    expect(refusalOf(await user.refer('b', [{ generationId: id }]))).toEqual([502, 'STORAGE_ERROR']);
    expect(deliveries()).toHaveLength(before + 1);
    await expectRefunded(user, 'b', 'STORAGE_ERROR');
  });
});
