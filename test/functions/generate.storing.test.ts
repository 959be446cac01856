/** The image is stored byte for byte. If storing fails, the credits are refunded and the outbox deletes what may be stored. */
import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { type CloudinaryStep, cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type GeminiStep, geminiFault, type Part } from '../../local/fakes/geminiFaults.ts';
import { expectNoVendorWords, expectRefunded, generateOnce } from '../support/failedGeneration.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { useUpstreams } from '../support/upstreamFailures.ts';

const upstreams = await useUpstreams();
const { stack, impatient } = upstreams;

const canvas = createCanvas(1024, 1024);
const png = canvas.toBuffer('image/png');
/** What `generateOnce` requests. */
const photo = createCanvas(1248, 832).toBuffer('image/png');

const answerWith = (parts: Part[]): GeminiStep => ({
  kind: 'answer',
  body: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }] },
});
const inline = (bytes: Uint8Array, more: Partial<Part> = {}): Part => ({
  inlineData: { mimeType: 'image/png', data: Buffer.from(bytes).toString('base64') },
  ...more,
});
describe('stores the generated image byte for byte', () => {
  const other = createCanvas(1024, 1000).toBuffer('image/png');

  async function generate(step: GeminiStep | undefined) {
    stack.gemini.always(step);
    const user = await stack.newUser();
    const { status, body } = await user.generate('key', { prompt: 'Two bananas' }, upstreams.server.url);
    expect(status).toBe(200);
    const delivered = Buffer.from(await (await fetch(body.generation.image.url)).arrayBuffer());
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
    return { image: body.generation.image, delivered };
  }

  it.each<[string, Buffer, string]>([
    ['PNG', png, 'image/png'],
    ['JPEG', canvas.toBuffer('image/jpeg'), 'image/jpeg'],
    ['WebP', canvas.toBuffer('image/webp'), 'image/webp'],
  ])('%s, whatever MIME type the model declared', async (_, bytes, mimeType) => {
    const { image, delivered } = await generate(geminiFault.image(bytes, 'image/gif'));
    expect(image).toMatchObject({ mimeType, width: 1024, height: 1024, bytes: bytes.length });
    expect(delivered.equals(bytes)).toBe(true);
  });

  it('the last of several images that is not a thought', async () => {
    const { image, delivered } = await generate(
      answerWith([
        { text: 'Composing', thought: true },
        inline(other, { thought: true }),
        inline(other),
        { text: 'Here is your image:' },
        inline(png),
        inline(other, { thought: true }),
      ]),
    );
    expect(image).toMatchObject({ width: 1024, height: 1024 });
    expect(delivered.equals(png)).toBe(true);
  });

  it('the same image if drafts come before it', async () => {
    const plain = await generate(undefined);
    const drafted = await generate(geminiFault.drafts());
    expect(drafted.delivered.equals(plain.delivered)).toBe(true);
  });
});

describe('refunds a failed upload and puts the image into the outbox', () => {
  const storedReply = (body: object, afterWork = false): CloudinaryStep => ({
    kind: 'reply',
    status: 200,
    body,
    afterWork,
  });
  const otherImage = {
    public_id: 'somebody/else',
    version: 1,
    secure_url: 'https://res.cloudinary.com/test/image/upload/v1/somebody/else.png',
  };

  it.each<[string, CloudinaryStep, Record<string, string>?]>([
    ['400', cloudinaryFault.error(400)],
    ['400 for a clock that is slow', cloudinaryFault.staleRequest()],
    ['400 for an image that is too large', cloudinaryFault.fileTooLarge(), { maxBytes: '10485760' }],
    ['420', cloudinaryFault.rateLimited()],
    ['423', cloudinaryFault.error(423)],
    ['500', cloudinaryFault.error(500)],
    ['502', cloudinaryFault.error(502)],
    ['503', cloudinaryFault.error(503)],
    ['an HTML page with 502', cloudinaryFault.html(502)],
    ['an HTML page with 200', cloudinaryFault.html(200)],
    ['an empty body', cloudinaryFault.emptyBody()],
    ['truncated JSON, the image stored', cloudinaryFault.truncate()],
    ['a connection reset', cloudinaryFault.reset()],
    ['a connection reset, the image stored', cloudinaryFault.storedThenReset()],
    ['a connection reset in the middle of the reply', cloudinaryFault.storedThenReset('after-headers')],
    ['500, the image stored', { ...cloudinaryFault.error(500), afterWork: true }],
    ['a reply that names another image', storedReply(otherImage)],
    ['a reply that names another image, ours stored', storedReply(otherImage, true)],
    ['a reply without an address', storedReply({ public_id: 'x', version: 1 }, true)],
  ])('%s', async (_, step, metadata = {}) => {
    stack.gemini.always(geminiFault.blank());
    stack.cloudinary.always(step);
    const failed = await generateOnce(stack, upstreams.server.url);
    await expectRefunded(stack, failed, { reason: 'STORAGE_ERROR', metadata, inOutbox: true });
    expectNoVendorWords(step, failed);
    expect(failed.logged).not.toMatch(/timestamp=|signature/i);
  });

  it.each<[string, CloudinaryStep]>([
    ['401, which quotes the signed string', cloudinaryFault.error(401)],
    ['401 for a disabled account', cloudinaryFault.accountDisabled()],
    ['403', cloudinaryFault.error(403)],
  ])('%s is our own configuration, and an error in the log', async (_, step) => {
    stack.gemini.always(geminiFault.image(photo));
    stack.cloudinary.always(step);
    const failed = await generateOnce(stack, upstreams.server.url);
    await expectRefunded(stack, failed, { reason: 'PROVIDER_MISCONFIGURED', inOutbox: true });
    expectNoVendorWords(step, failed);
    expect(failed.logged).not.toMatch(/timestamp=|signature [0-9a-f]/i);
    expect(failed.logged).toContain('"severity":"ERROR"');
  });

  it.each<[string, CloudinaryStep]>([
    ['502', cloudinaryFault.error(502)],
    ['a connection reset, the image stored', cloudinaryFault.storedThenReset()],
    ['truncated JSON, the image stored', cloudinaryFault.truncate()],
  ])('%s, but only once: the second upload keeps the image', async (_, step) => {
    stack.gemini.always(geminiFault.image(photo));
    stack.cloudinary.script(step);
    const { uid, reply } = await generateOnce(stack, upstreams.server.url);
    expect(reply.status).toBe(200);
    const { url } = reply.body.generation.image;
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(photo)).toBe(true);
    expect((await stack.ledger(uid)).account).toMatchObject({ balance: 8 });
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });

  it('uploads that hang, whether stored or not, and one that drips without end fail at the deadline', async () => {
    stack.gemini.always(geminiFault.blank());
    const silence = cloudinaryFault.hang();
    stack.cloudinary.script(silence, { ...silence, afterWork: true }, cloudinaryFault.drip(50));
    for (const failed of await Promise.all([1, 2, 3].map(() => generateOnce(stack, impatient.url)))) {
      await expectRefunded(stack, failed, { reason: 'PROVIDER_TIMEOUT', inOutbox: true });
    }
  });

  it('a slow upload succeeds', async () => {
    stack.gemini.always(geminiFault.blank());
    stack.cloudinary.always(cloudinaryFault.delay(100));
    expect((await generateOnce(stack, upstreams.server.url)).reply.status).toBe(200);
  });

  it.each([401, 503] as const)('Cloudinary: %i', async (status) => {
    stack.gemini.always(geminiFault.blank());
    stack.cloudinary.always(cloudinaryFault.error(status));
    expect((await generateOnce(stack, upstreams.server.url)).logged).toContain(
      `Cloudinary failed: ${status}`,
    );
  });
});

it('leaves no image in the store that is neither of a succeeded generation nor in the outbox', async () => {
  expect(stack.cloudinary.assets.size).toBeGreaterThan(0);
  expect(await strayImages(stack, stack.uids)).toEqual([]);
});
