/** Reference images are checked before any debit, fetched only from our image store, and stored as hashes. */
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants, missingImages, strayImages } from '../support/invariants.ts';
import { startGatedGemini } from '../support/modelGate.ts';
import { onePixelPng, squarePng } from '../support/pictures.ts';
import { getDetail, getErrorInfo, getRefusal, getViolatedFields } from '../support/replies.ts';
import { type Server, type Stack, startStack } from '../support/stack.ts';
import { type Hooks, newGeneration, once, watchedDatabase } from '../support/watchedDatabase.ts';

const canvas = createCanvas(1024, 1024);
const pictures = {
  'image/png': canvas.toBuffer('image/png'),
  'image/jpeg': canvas.toBuffer('image/jpeg'),
  'image/webp': canvas.toBuffer('image/webp'),
};
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const megabyte = 1_000_000;
/** An image of this many bytes. Readers ignore what follows the end of a PNG. */
const padded = (bytes: number) => Buffer.concat([squarePng, Buffer.alloc(bytes - squarePng.length)]);

const hooks: Hooks = {};
let stack: Stack;
let other: Server;

beforeAll(async () => {
  stack = await startStack();
  other = await stack.startServer({}, { database: watchedDatabase(stack.database, hooks).database });
});
afterAll(() => stack.close());
beforeEach(() => {
  for (const name of Object.keys(hooks)) delete hooks[name as keyof Hooks];
  stack.gemini.always(geminiFault.blank());
});

async function newReferrer(credits = 20) {
  const user = await stack.newUser(credits);
  return {
    ...user,
    refer: (key: string, references: unknown, url?: string) =>
      user.generate(key, { tier: 'premium2', references }, url),
    getPath: (key: string) => `${user.path}/generations/${hashGenerationId(user.uid, key)}`,
    getStored: (key: string) => stack.document(`${user.path}/generations/${hashGenerationId(user.uid, key)}`),
  };
}
type Referrer = Awaited<ReturnType<typeof newReferrer>>;

/** A user with a finished image under the key `a`. */
async function createImage(bytes = pictures['image/jpeg']) {
  const user = await newReferrer();
  stack.gemini.script(geminiFault.image(bytes));
  const { status, body } = await user.generate('a');
  expect(status).toBe(200);
  return { user, id: body.generation.id as string, image: body.generation.image as { url: string } };
}

const inline = (bytes: Buffer, mimeType = 'image/png') => ({ mimeType, data: bytes.toString('base64') });
const countModelCalls = () => stack.gemini.requests.length;
const findDeliveries = () => stack.cloudinary.requests.filter(({ action }) => action === 'deliver');

/** The images of the last request to the model. */
function getSentImages() {
  const body = stack.gemini.requests.at(-1)?.body as {
    contents: { parts: { inlineData?: { mimeType: string; data: string } }[] }[];
  };
  return body.contents.flatMap(({ parts }) => parts).flatMap(({ inlineData }) => inlineData ?? []);
}

/** Nothing was debited or started, and the key can be used. */
async function expectUntouched(user: Referrer, key: string, callsBefore: number) {
  expect(await user.getStored(key)).toBeUndefined();
  const { entries } = await stack.ledger(user.uid);
  expect(entries.filter(({ generationId }) => generationId === hashGenerationId(user.uid, key))).toEqual([]);
  expect(countModelCalls()).toBe(callsBefore);
}

async function expectRefunded(user: Referrer, key: string, reason: string) {
  expect(await user.getStored(key)).toMatchObject({ status: 'refunded', failure: { reason } });
  const { entries } = await stack.ledger(user.uid);
  expect(entries.slice(-2).map(({ type, amount }) => [type, amount])).toEqual([
    ['debit', -2],
    ['refund', 2],
  ]);
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  expect(await strayImages(stack, [user.uid])).toEqual([]);
}

describe('references', () => {
  it('inline are sent to the model unchanged, in order, with the MIME type of their bytes', async () => {
    const user = await newReferrer();
    const bytes = Object.values(pictures);
    const { status, body } = await user.refer('k', [
      inline(pictures['image/png'], 'image/webp'),
      inline(pictures['image/jpeg'], 'image/png'),
      inline(pictures['image/webp'], 'image/jpeg'),
    ]);
    expect([status, body.receipt.charged]).toEqual([200, 2]);
    expect(getSentImages()).toEqual(
      Object.keys(pictures).map((mimeType, i) => ({ mimeType, data: bytes[i]?.toString('base64') })),
    );
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('from the gallery are fetched from the store and sent with inline ones', async () => {
    const { user, id, image } = await createImage();
    const before = findDeliveries().length;
    const { status } = await user.refer('b', [{ generationId: id }, inline(onePixelPng)]);
    expect(status).toBe(200);
    expect(findDeliveries().slice(before)).toMatchObject([{ path: new URL(image.url).pathname }]);
    expect(getSentImages()).toEqual([
      { mimeType: 'image/jpeg', data: pictures['image/jpeg'].toString('base64') },
      { mimeType: 'image/png', data: onePixelPng.toString('base64') },
    ]);
    expect(await missingImages(stack, [user.uid])).toEqual([]);
  });

  it('may name one image twice', async () => {
    const { user, id } = await createImage();
    expect((await user.refer('b', [{ generationId: id }, { generationId: id }])).status).toBe(200);
    expect(getSentImages()).toHaveLength(2);
  });

  it('are stored as hashes: no document and no log line has their bytes', async () => {
    const { user, id } = await createImage();
    const data = pictures['image/webp'].toString('base64');
    await user.refer('b', [{ generationId: id }, inline(pictures['image/webp'])]);
    const stored = await user.getStored('b');
    expect(stored?.request).toEqual({
      enhance: false,
      fresh: false,
      references: [`generation:${id}`, expect.stringMatching(/^[0-9a-f]{64}$/)],
    });
    const { body } = await user.get(`generation?key=b`);
    for (const text of [await stack.ledger(user.uid), stack.logs, body]) {
      expect(JSON.stringify(text)).not.toContain(data);
      expect(JSON.stringify(text)).not.toContain(data.slice(0, 40));
    }
  });

  it('are part of the request that a key identifies', async () => {
    const { user, id } = await createImage();
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
      expect(getRefusal(await user.refer('b', others))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
  });

  it('are replayed by their key, even after they were deleted', async () => {
    const { user, id } = await createImage();
    const first = await user.refer('b', [{ generationId: id }]);
    await user.post('deleteGeneration', { id });
    expect((await user.refer('b', [{ generationId: id }])).body).toEqual(first.body);
  });
});

describe('a request is refused before any debit', () => {
  const png = inline(onePixelPng);
  it.each<[string, unknown[], string]>([
    ['with more than the model accepts', [png, png, png, png], 'references'],
    ['with more than any model accepts', Array(15).fill(png), 'references'],
    ['with text in place of an image', [inline(Buffer.from('not an image'))], 'references.0.data'],
    ['with a GIF', [png, inline(gif)], 'references.1.data'],
    ['with half a header', [inline(onePixelPng.subarray(0, 12))], 'references.0.data'],
    ['with bad base64', [{ ...png, data: '@@@@' }], 'references.0.data'],
    ['with base64 of the wrong length', [{ ...png, data: `${png.data}A` }], 'references.0.data'],
    ['with base64url', [{ ...png, data: 'ab-_' }], 'references.0.data'],
    ['with a data URL', [{ ...png, data: `data:image/png;base64,${png.data}` }], 'references.0.data'],
    ['with empty data', [{ ...png, data: '' }], 'references.0.data'],
    ['declared as a GIF', [{ ...png, mimeType: 'image/gif' }], 'references.0'],
    ['with a URL', [{ url: 'https://example.com/a.png' }], 'references.0'],
    ['with a URL as data', [{ ...png, data: 'https://example.com/a.png' }], 'references.0.data'],
    ['with a URL beside the data', [{ ...png, url: 'https://example.com/a.png' }], 'references.0.url'],
    ['with a URL as an id', [{ generationId: 'https://example.com/a.png' }], 'references.0.generationId'],
    ['with a path as an id', [{ generationId: '../../accounts/a' }], 'references.0.generationId'],
    ['with both kinds in one', [{ ...png, generationId: '0'.repeat(32) }], 'references.0'],
  ])('%s: 400', async (_, references, field) => {
    const user = await newReferrer();
    const before = countModelCalls();
    const answer = await user.refer('k', references);
    expect(getRefusal(answer)).toEqual([400, 'INVALID_REQUEST']);
    expect(getViolatedFields(answer)).toContain(field);
    expect(answer.body).not.toHaveProperty('receipt');
    await expectUntouched(user, 'k', before);
  });

  it('but not with 14 if the model accepts 14', async () => {
    const user = await newReferrer();
    const { url, close } = await stack.startServer({ IMAGEGEN_MODEL_ID: 'gemini-nano-banana-2.1' });
    expect((await user.refer('k', Array(14).fill(png), url)).status).toBe(200);
    expect(getSentImages()).toHaveLength(14);
    await close();
  });

  it('with images in it that are too large together, also beside the smallest version of one of the gallery', async () => {
    const { user, id } = await createImage(padded(8 * megabyte));
    const before = countModelCalls();
    for (const tooMuch of [
      [inline(padded(7 * megabyte)), inline(padded(7 * megabyte + 3))],
      [{ generationId: id }, inline(padded(13 * megabyte + 1))],
    ]) {
      const answer = await user.refer('b', tooMuch);
      expect(getRefusal(answer)).toEqual([400, 'INVALID_REQUEST']);
      expect(getDetail(answer, 'BadRequest').fieldViolations).toMatchObject([{ field: 'references' }]);
      await expectUntouched(user, 'b', before);
    }
  });

  it('with a body over its limit: 413', async () => {
    const user = await newReferrer();
    const before = countModelCalls();
    const prompt = 'x'.repeat(19_500_000);
    const answer = await user.generate('k', { prompt });
    expect(getRefusal(answer)).toEqual([413, 'TOO_LARGE']);
    await expectUntouched(user, 'k', before);
  });

  it.each<[string, (user: Referrer) => Promise<string>]>([
    ['an unknown id', async () => 'f'.repeat(32)],
    ['the id of this request', async ({ uid }) => hashGenerationId(uid, 'b')],
    ["another user's id", async () => (await createImage()).id],
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
    const user = await newReferrer();
    const id = await find(user);
    const before = countModelCalls();
    const delivered = findDeliveries().length;
    const answer = await user.refer('b', [inline(onePixelPng), { generationId: id }]);
    expect(getRefusal(answer)).toEqual([404, 'NOT_FOUND']);
    expect(answer.body).not.toHaveProperty('receipt');
    expect(findDeliveries()).toHaveLength(delivered);
    await expectUntouched(user, 'b', before);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('with a pending generation: 404', async () => {
    const gemini = await startGatedGemini();
    const { url, close } = await stack.startServer({ GOOGLE_GEMINI_BASE_URL: gemini.url });
    const user = await newReferrer();
    const pending = await gemini.during(
      () => user.generate('a', {}, url),
      async () => {
        const answer = await user.refer('b', [{ generationId: hashGenerationId(user.uid, 'a') }], url);
        expect(getRefusal(answer)).toEqual([404, 'NOT_FOUND']);
        expect(await user.getStored('b')).toBeUndefined();
      },
    );
    expect(pending.status).toBe(200);
    expect((await user.refer('b', [{ generationId: pending.body.generation.id }], url)).status).toBe(200);
    await close();
    await gemini.close();
  });
});

describe('an image of the gallery that is too large beside the others', () => {
  /** What was fetched from the store since, as the transformation in the address; undefined for an image as it is. */
  const getVersions = (since: number) =>
    findDeliveries()
      .slice(since)
      .map(({ path }) => /upload\/(c_[^/]+)/.exec(path)?.[1]);

  it('is sent whole if all fit together exactly', async () => {
    const { user, id } = await createImage(padded(8 * megabyte));
    const since = findDeliveries().length;
    const { status, body } = await user.refer('b', [{ generationId: id }, inline(padded(6 * megabyte))]);
    expect(status).toBe(200);
    expect(body.generation).not.toHaveProperty('reducedReferences');
    expect(getVersions(since)).toEqual([undefined]);
  });

  it.each([
    ['by a byte', 8 * megabyte, [inline(padded(6 * megabyte + 1))]],
    ['alone, as an image of 4K may be', 25 * megabyte, []],
  ])('%s is sent as a smaller version, and the answer says so', async (_, bytes, references) => {
    const { user, id, image } = await createImage(padded(8 * megabyte));
    const document = await user.getStored('a');
    const data = { ...document, image: { ...image, bytes } };
    await stack.database.commit([{ set: user.getPath('a'), data }]);
    const since = findDeliveries().length;
    const { status, body } = await user.generate('b', { tier: 'premium2', editOf: id, references });
    expect([status, body.receipt?.charged]).toEqual([200, 2]);
    expect(body.generation).toMatchObject({ parentId: id, reducedReferences: [0] });
    expect(getVersions(since)).toEqual(['c_limit,f_jpg,h_2048,q_85,w_2048']);
    expect(getSentImages()[0]?.mimeType).toBe('image/jpeg');
    const line = stack.logs.findLast(({ generationId }) => generationId === body.generation.id);
    expect(line).toMatchObject({ reducedReferences: 1 });
    expect((await user.get('generation?key=b')).body.generation).toEqual(body.generation);
  });
});

describe('a reference that fails after the debit is refunded', () => {
  it('because it was deleted meanwhile', async () => {
    const { user, id } = await createImage();
    const before = countModelCalls();
    hooks.afterCommit = once(
      (writes) => newGeneration(writes)?.status === 'pending',
      async () => void expect((await user.post('deleteGeneration', { id })).status).toBe(200),
    );
    const answer = await user.refer('b', [{ generationId: id }], other.url);
    expect(getRefusal(answer)).toEqual([404, 'NOT_FOUND']);
    expect(getErrorInfo(answer).metadata.retry).toBe('new_key');
    expect(answer.body.receipt).toMatchObject({ charged: 2, refunded: 2 });
    expect(countModelCalls()).toBe(before);
    await expectRefunded(user, 'b', 'NOT_FOUND');
  });

  it.each([
    ['an error', cloudinaryFault.error(500)],
    ['a broken connection', cloudinaryFault.reset()],
    ['an HTML page in place of the image', cloudinaryFault.html(200 as 502)],
    ['an empty reply', cloudinaryFault.emptyBody(200)],
  ])('because the store answers with %s', async (_, fault) => {
    const { user, id } = await createImage();
    const before = countModelCalls();
    stack.cloudinary.script({ action: 'deliver', ...fault });
    const answer = await user.refer('b', [{ generationId: id }]);
    expect(getRefusal(answer)).toEqual([502, 'STORAGE_ERROR']);
    expect(answer.body.receipt).toMatchObject({ charged: 2, refunded: 2 });
    expect(countModelCalls()).toBe(before);
    await expectRefunded(user, 'b', 'STORAGE_ERROR');
  });

  it('because the store never answers: 504 at the deadline', async () => {
    const { user, id } = await createImage();
    const { url, close } = await stack.startServer({ GENERATE_TIMEOUT_MS: '1500' });
    await user.generate('warm', {}, url);
    stack.cloudinary.script({ action: 'deliver', ...cloudinaryFault.hang() });
    expect(getRefusal(await user.refer('b', [{ generationId: id }], url))).toEqual([504, 'PROVIDER_TIMEOUT']);
    await expectRefunded(user, 'b', 'PROVIDER_TIMEOUT');
    await close();
  });

  it.each([
    ['another host', () => 'http://127.0.0.1:9/test/image/upload/v1/a.png'],
    ['another host that looks like the store', () => `${stack.cloudinary.url}@127.0.0.1:9/a.png`],
    ['a file', () => 'file:///etc/passwd'],
    ['the metadata server', () => 'http://169.254.169.254/computeMetadata/v1/'],
  ])('because its document names %s, which is never fetched', async (_, address) => {
    const { user, id } = await createImage();
    const document = await user.getStored('a');
    const image = { ...(document?.image as object), url: address() };
    await stack.database.commit([{ set: user.getPath('a'), data: { ...document, image } }]);
    const [before, delivered] = [countModelCalls(), findDeliveries().length];
    const fetched: string[] = [];
    const real = globalThis.fetch;
    globalThis.fetch = (input, init) => {
      fetched.push(String(input instanceof Request ? input.url : input));
      return real(input, init);
    };
    const answer = await user.refer('b', [{ generationId: id }]).finally(() => {
      globalThis.fetch = real;
    });
    expect(getRefusal(answer)).toEqual([502, 'STORAGE_ERROR']);
    expect(fetched.filter((url) => !url.startsWith(stack.url))).toEqual([]);
    expect([countModelCalls(), findDeliveries().length]).toEqual([before, delivered]);
    await expectRefunded(user, 'b', 'STORAGE_ERROR');
  });

  it('because the store redirects, which is not followed, even to an image', async () => {
    const { user, id, image } = await createImage();
    const before = findDeliveries().length;
    const headers = { location: image.url };
    stack.cloudinary.script({ action: 'deliver', kind: 'reply', status: 302, headers, body: '' });
    expect(getRefusal(await user.refer('b', [{ generationId: id }]))).toEqual([502, 'STORAGE_ERROR']);
    expect(findDeliveries()).toHaveLength(before + 1);
    await expectRefunded(user, 'b', 'STORAGE_ERROR');
  });
});
