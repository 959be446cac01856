/** Take-downs after a backup was restored that is older than the image, or than its twin. */
import { expect, it } from 'vitest';
import type { Data } from '../../../shared/database/database.ts';
import { createErasureLog } from '../../../shared/erasures/erasureLog.ts';
import { eraseAgain } from '../../../tools/eraseAgain.ts';
import { createClosingWorld } from '../../support/closing.ts';
import { image, toOutcome } from '../../support/memoryStudio.ts';
import { squarePng } from '../../support/pictures.ts';

const prompt = 'A secret';

/** A studio in which an image is made and comes from the cache once more, and a backup of any moment. */
function createStudio() {
  const { world, documents, log, start } = createClosingWorld();
  const studio = start({
    imageGenerator: async () => ({ ...image(), chunks: [new Uint8Array(squarePng)] }),
  });
  const make = async (key: string) => (await studio.generate(key, { prompt })).body.generation.id;
  return {
    studio,
    documents,
    make,
    backUp: () => new Map(structuredClone([...documents])),
    restore(backup: ReadonlyMap<string, Data>) {
      const later = [...documents.keys()].filter((path) => !backup.has(path));
      world.store.commit([
        ...later.map((path) => ({ delete: path })),
        ...[...backup].map(([set, data]) => ({ set, data })),
      ]);
    },
    async takeDown(generationId: string) {
      const body = { uid: 'ann', generationId, reason: 'It shows a living person.' };
      expect((await studio.call('takedown', body, { as: 'admin:root' })).status).toBe(200);
      await studio.sweep();
    },
    async again() {
      const erasures = createErasureLog(log.url, async () => '').read(new Date(0));
      return eraseAgain(await studio.services.ledger(), erasures, (_, error) => {
        throw error;
      });
    },
    refuse: async () =>
      toOutcome(
        await studio.generate('reference', {
          prompt,
          references: [{ mimeType: 'image/png', data: squarePng.toString('base64') }],
        }),
      ),
  };
}

const refused = [400, 'INVALID_REQUEST'];

it('removes the image again if only its twin is newer than the backup', async () => {
  const { make, backUp, restore, takeDown, again, documents, refuse } = createStudio();
  const maker = await make('maker');
  const backup = backUp();
  await takeDown(await make('twin'));
  restore(backup);
  for (let i = 0; i < 2; i += 1) expect(await again()).toMatchObject({ read: 2, failed: 0, missing: 0 });
  expect(documents.get(`accounts/ann/generations/${maker}`)).toMatchObject({
    status: 'deleted',
    removedBy: 'studio',
    prompt: null,
  });
  expect(await refuse()).toEqual(refused);
});

it('refuses the image as a reference if all of it is newer than the backup', async () => {
  const { make, backUp, restore, takeDown, again, refuse } = createStudio();
  const backup = backUp();
  await takeDown(await make('maker'));
  restore(backup);
  for (let i = 0; i < 2; i += 1) expect(await again()).toMatchObject({ read: 1, failed: 0, missing: 0 });
  expect(await refuse()).toEqual(refused);
});
