/** What tests of the cache share: users who repeat one request, and the twins of an image that this makes. */
import { expect } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants, missingImages, strayImages } from './invariants.ts';
import { onePixelPng } from './pictures.ts';
import type { Reply } from './replies.ts';
import { startStack } from './stack.ts';
import { type Hooks, watchedDatabase } from './watchedDatabase.ts';

export const pngReference = (bytes: Buffer) => ({ mimeType: 'image/png', data: bytes.toString('base64') });
const imageRequest = {
  prompt: 'The same banana',
  tier: 'premium2',
  orientation: 'landscape',
  enhance: false,
  references: [pngReference(onePixelPng)],
};

/** The status of a reply and whether the generation came from the cache. */
export const isCached = ({ status, body }: Reply) => [status, body.generation?.cached];

export async function startCache() {
  const stack = await startStack({ CACHE_TTL_SECONDS: '3600' });
  stack.gemini.always(geminiFault.blank());
  /** What happens at reads and commits of the server `other`. */
  const hooks: Hooks = {};
  const other = await stack.startServer({}, { database: watchedDatabase(stack.database, hooks).database });

  /** A user who repeats one request: `ask` sends it under a key, `remove` deletes its generation. */
  async function newCacheUser(credits = 20) {
    const user = await stack.newUser(credits);
    const getPath = (key: string) => `${user.path}/generations/${hashGenerationId(user.uid, key)}`;
    return {
      ...user,
      getPath,
      ask: (key: string, more: Record<string, unknown> = {}, url?: string) =>
        user.generate(key, { ...imageRequest, ...more }, url),
      remove: (key: string, url?: string) =>
        user.post('deleteGeneration', { id: hashGenerationId(user.uid, key) }, {}, url),
      getStored: (key: string) => stack.document(getPath(key)),
    };
  }

  return {
    stack,
    hooks,
    other,
    newCacheUser,
    countModelCalls: () => stack.gemini.requests.length,

    /** A user with one generated image under the key `a`, and twins of it under the other keys. */
    async createTwins(...keys: string[]) {
      const user = await newCacheUser();
      const first = await user.ask('a');
      expect([first.status, first.body.generation.cached]).toEqual([200, false]);
      for (const key of keys) expect((await user.ask(key)).body.generation.cached).toBe(true);
      const { publicId } = (await user.getStored('a')) as { publicId: string };
      return { user, first, publicId, url: first.body.generation.image.url as string };
    },

    /** The cache documents of a user. */
    async findCacheItems(uid: string) {
      const page = { collection: 'cache', orderBy: [['__name__', 'asc']] as const, limit: 1_000 };
      const { documents } = await stack.database.page(page);
      return documents.filter(({ data }) => data.uid === uid);
    },

    /** The ledger adds up, no image is missing and none is stray. */
    async expectSound({ uid }: { uid: string }) {
      expect(await brokenInvariants(stack, uid)).toEqual([]);
      expect(await strayImages(stack, [uid])).toEqual([]);
      expect(await missingImages(stack, [uid])).toEqual([]);
    },

    /** The requests to the image store that delete this image. */
    findDestroys: (publicId: string) =>
      stack.cloudinary.requests.filter(
        (request) => request.action === 'destroy' && request.publicId === publicId,
      ),

    clearHooks() {
      for (const name of Object.keys(hooks)) delete hooks[name as keyof Hooks];
    },
  };
}
