/** Generations with a document of which an admin has removed one field, or given it another type. */
import { removed } from '../../shared/database/database.ts';
import { generationDocumentSchema, hashGenerationId } from '../../shared/generation/record.ts';
import { createMemoryStudio, createMemoryWorld } from './memoryStudio.ts';
import { onePixelPng } from './pictures.ts';

type Field = keyof typeof generationDocumentSchema.shape;
export const fields = Object.keys(generationDocumentSchema.shape) as Field[];
/** What an admin may do to a field. */
export const edits: readonly unknown[] = [removed, 'text', 7, true, ['a'], { a: 'b' }, null];
/** One of each kind, where the others would take the same way. */
export const fewEdits: readonly unknown[] = [removed, 7, { a: 'b' }];

export const toId = (key: string) => hashGenerationId('ann', key);
export const toPath = (key: string) => `accounts/ann/generations/${toId(key)}`;

/** A studio, and others with its database and its image store. */
export function createStudios() {
  const world = createMemoryWorld();
  const assets = new Set<string>();
  const imageStore = {
    async store(publicId: string) {
      assets.add(publicId);
      return { url: `https://images.example/${publicId}`, thumbnailUrl: 'https://images.example/small' };
    },
    fetch: async () => onePixelPng,
    destroy: async (publicId: string) => assets.delete(publicId),
  };
  const env = { CACHE_TTL_SECONDS: '600', SIGNUP_CREDITS: '1000' };
  const create = (imageGenerator?: () => Promise<never>) =>
    createMemoryStudio({ world, env, imageStore, ...(imageGenerator && { imageGenerator }) });
  const studio = create();
  const read = (path: string) => world.store.read([path]).documents[0]?.data;
  return {
    world,
    assets,
    studio,
    create,
    read,
    isReadable: (key: string) => generationDocumentSchema.safeParse(read(toPath(key))).success,
    spoil: (key: string, field: Field, edit: unknown) => studio.edit(toPath(key), { [field]: edit }),
    /** Everything that credits depend on. */
    credits: () => [studio.account(), studio.documents('accounts/ann/entries')],
    /** Makes an image, or a twin of an earlier one, and shares it. @returns the token. */
    async share(key: string): Promise<string> {
      await studio.generate(key);
      const { body } = await studio.call('share', { id: toId(key), shared: true });
      return String(body.generation.shareUrl?.split('/').at(-1));
    },
    /** Begins a generation that never ends. */
    async hang(key: string): Promise<void> {
      void create(() => new Promise(() => {})).generate(key);
      for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
    },
    isPublic: async (token: string) => (await studio.get('sharedImage', { token }, 'nobody')).status === 200,
  };
}
