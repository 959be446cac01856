/** What a generation keeps of its file: the hash of the bytes, and whether they have content credentials. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { generateRequestSchema } from '../../../shared/contract.ts';
import { hashInlineImage, hashReferences } from '../../../shared/generation/record.ts';
import { createMemoryStudio, image } from '../../support/memoryStudio.ts';

const chunks = () => [new Uint8Array([1, 2]), new Uint8Array([3])];
const imageHash = createHash('sha256')
  .update(new Uint8Array([1, 2, 3]))
  .digest('hex');

it('knows the SHA-256 of an inline image, also of one that is hashed in several turns', async () => {
  for (const bytes of [image().bytes, 5_000_000]) {
    const data = Buffer.alloc(bytes, 'banana');
    const body = {
      prompt: 'A banana',
      tier: 'standard',
      references: [{ mimeType: 'image/png', data: data.toString('base64') }],
    };
    const request = generateRequestSchema.parse(body);
    const [reference] = request.references;
    const expected = createHash('sha256').update(data).digest('hex');
    expect(reference && hashInlineImage(reference)).toBe(expected);
    await hashReferences(request);
    expect(reference && hashInlineImage(reference)).toBe(expected);
  }
});

it('keeps the SHA-256 of the stored bytes, also for a twin, and after the image is deleted', async () => {
  const studio = createMemoryStudio({
    env: { CACHE_TTL_SECONDS: '60' },
    imageGenerator: async () => ({ ...image(), chunks: chunks() }),
    imageStore: {
      async store(_publicId, stored) {
        stored.length = 0;
        return { url: 'https://images.example/a', thumbnailUrl: 'https://images.example/b' };
      },
    },
  });
  const { id } = (await studio.generate('a')).body.generation;
  expect((await studio.generate('b')).body.generation.cached).toBe(true);
  await studio.deleteGeneration(id);
  expect(studio.documents('accounts/ann/generations')).toMatchObject([{ imageHash }, { imageHash }]);
});

it.each(['present', 'absent', undefined] as const)(
  'shows content credentials: %s',
  async (contentCredentials) => {
    const studio = createMemoryStudio({
      imageGenerator: async () => ({ ...image(), ...(contentCredentials && { contentCredentials }) }),
    });
    const { id, image: shown } = (await studio.generate('a')).body.generation;
    expect(shown?.contentCredentials).toBe(contentCredentials);
    const { shareUrl } = (await studio.call('share', { id, shared: true })).body.generation;
    const page = await studio.get('sharedImage', { token: shareUrl?.split('/').at(-1) ?? '' });
    expect(String(page.body).includes('content credentials')).toBe(contentCredentials === 'present');
  },
);
