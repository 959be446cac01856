/** Vertex AI takes at most 7 MB of an image in a request. */
import { describe, expect, it } from 'vitest';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';
import { onePixelPng } from '../../support/pictures.ts';

const vertex = { GOOGLE_GENAI_USE_VERTEXAI: 'true' };
const createInline = (bytes: number) => ({
  mimeType: 'image/png',
  data: Buffer.concat([onePixelPng, Buffer.alloc(bytes - onePixelPng.length)]).toString('base64'),
});

describe('an image of the gallery with 8 MB', () => {
  const edit = async (env: Record<string, string>) => {
    const studio = createMemoryStudio({
      env,
      imageGenerator: async () => ({ ...image(), bytes: 8_000_000 }),
    });
    await studio.generate('a');
    return studio.generate('b', { editOf: hashGenerationId('ann', 'a') });
  };

  it('is sent smaller to Vertex AI', async () => {
    expect((await edit(vertex)).body.generation.reducedReferences).toEqual([0]);
  });

  it('is sent as it is to the Gemini API', async () => {
    expect((await edit({})).body.generation).not.toHaveProperty('reducedReferences');
  });
});

describe('an image in the request itself', () => {
  const references = [createInline(7_000_000), createInline(7_000_000 + 1)];

  it('of more than 7 MB is refused before any debit, with its place', async () => {
    const studio = createMemoryStudio({ env: vertex });
    const refused = await studio.generate('a', { references: references.toReversed() });
    expect(toOutcome(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect(refused.body.error.message).toBe('references.0.data must have at most 7,000,000 bytes.');
    expect(studio.documents('accounts/ann/generations')).toEqual([]);
    expect((await studio.generate('a', { references: references.slice(0, 1) })).status).toBe(200);
  });

  it('may have more if the Gemini API is used, and such a key is replayed after a change to Vertex AI', async () => {
    const world = createMemoryWorld();
    const request = { references: references.slice(1) };
    const first = await createMemoryStudio({ world }).generate('a', request);
    expect(first.status).toBe(200);
    expect(await createMemoryStudio({ world, env: vertex }).generate('a', request)).toEqual(first);
  });
});
