/** What a user takes back or deletes although an admin has spoilt its document. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { toOutcome } from '../../support/memoryStudio.ts';
import { createStudios, edits, fewEdits, fields, toId, toPath } from '../../support/spoiltFields.ts';

type Studios = ReturnType<typeof createStudios>;

const isErased = { status: 'deleted', prompt: null, enhancedPrompt: null, words: null, image: null };

async function remove({ studio }: Studios, key: string, context: string): Promise<void> {
  const { status, body } = await studio.deleteGeneration(toId(key));
  expect([status, body.generation], context).toMatchObject([200, { status: 'deleted', prompt: null }]);
}

describe.each(fields)('a spoilt %s', (field) => {
  it('leaves nothing of an image that its user deletes', async () => {
    for (const edit of edits) {
      const context = String(edit);
      const studios = createStudios();
      const token = await studios.share('a');
      studios.spoil('a', field, edit);
      const before = studios.credits();
      await remove(studios, 'a', context);
      expect(studios.read(toPath('a')), context).toMatchObject(isErased);
      expect(studios.credits(), context).toEqual(before);
      const { studio, assets } = studios;
      // The sweep clears what may still arrive.
      if (field === 'lateUploadUntil') {
        studios.world.advance(7_200_000);
        await studio.sweep();
      }
      const left = [...assets, ...studio.documents('shares'), ...studio.documents('outbox')];
      expect([await studios.isPublic(token), left], context).toEqual([false, []]);
      // Without its key an item stays until it expires. It names a generation that has no image.
      if (field !== 'cacheKey') expect(studio.documents('cache'), context).toEqual([]);
      await remove(studios, 'a', context);
    }
  });

  it.each([
    ['the image', 'a', 'b'],
    ['a twin', 'b', 'a'],
  ])('of %s leaves its twin whole, and nothing of the last one', async (_, spoilt, other) => {
    for (const edit of fewEdits) {
      const context = String(edit);
      const studios = createStudios();
      const tokens = { a: await studios.share('a'), b: await studios.share('b') } as Record<string, string>;
      studios.spoil(spoilt, field, edit);
      await remove(studios, spoilt, context);
      const image = studios.read(toPath('a'))?.publicId ?? studios.read(toPath('b'))?.publicId;
      expect([...studios.assets].length, context).toBe(2);
      if (field !== 'publicId') expect(studios.assets, context).toContain(image);
      const shown = [spoilt, other].map((key) => studios.isPublic(tokens[key] ?? ''));
      expect(await Promise.all(shown), context).toEqual([false, true]);
      await remove(studios, other, context);
      studios.world.advance(7_200_000);
      await studios.studio.sweep();
      expect([...studios.assets, ...studios.studio.documents('outbox')], context).toEqual([]);
    }
  });

  it.each([
    ['the image', ['b', 'c', 'a']],
    ['a twin', ['a', 'c', 'b']],
    ['a twin of a deleted image', ['c', 'a', 'b']],
  ])('of %s keeps the image until it is deleted as the last one', async (_, order) => {
    for (const edit of [...fewEdits, 'text']) {
      const context = String(edit);
      const studios = createStudios();
      for (const key of ['a', 'b', 'c']) await studios.studio.generate(key);
      const [image] = studios.assets;
      const spoilt = order.at(-1) ?? '';
      studios.spoil(spoilt, field, edit);
      for (const key of order.slice(0, -1)) await remove(studios, key, context);
      expect([...studios.assets], context).toEqual([image]);
      await remove(studios, spoilt, context);
      studios.world.advance(7_200_000);
      await studios.studio.sweep();
      expect([...studios.assets, ...studios.studio.documents('outbox')], context).toEqual([]);
    }
  });

  it('does not keep an image public that its user makes private', async () => {
    for (const edit of edits) {
      const context = String(edit);
      const studios = createStudios();
      const token = await studios.share('a');
      const image = studios.read(toPath('a'))?.publicId;
      studios.spoil('a', field, edit);
      const before = studios.credits();
      const makePrivate = () => studios.studio.call('share', { id: toId('a'), shared: false });
      const { status, body } = await makePrivate();
      expect([status, body.generation.shareUrl, await studios.isPublic(token)], context).toEqual([
        200,
        undefined,
        false,
      ]);
      expect([...studios.assets], context).toEqual([image]);
      expect([studios.credits(), studios.studio.documents('outbox')], context).toEqual([before, []]);
    }
  });

  it('does not end a pending generation before its deadline, and refunds it once after', async () => {
    // Another price is no spoilt document.
    for (const edit of field === 'credits' ? [removed, 'text', null] : fewEdits) {
      const context = String(edit);
      const studios = createStudios();
      await studios.hang('a');
      studios.spoil('a', field, edit);
      const isUnknown = field === 'status' || (field === 'deadline' && !studios.isReadable('a'));
      const [before, credits] = [studios.read(toPath('a')), studios.credits()];
      const outcome = async () => toOutcome(await studios.studio.deleteGeneration(toId('a')));
      // An image, or a failure, shows how a generation has ended. These edits are neither.
      expect(await outcome(), context).toEqual([409, isUnknown ? 'ACCOUNT_INVALID' : 'IN_PROGRESS']);
      expect([studios.read(toPath('a')), studios.credits()], context).toEqual([before, credits]);
      studios.world.advance(600_000);
      expect(await outcome(), context).toEqual(isUnknown ? [409, 'ACCOUNT_INVALID'] : [200, undefined]);
      expect(await outcome(), context).toEqual(isUnknown ? [409, 'ACCOUNT_INVALID'] : [200, undefined]);
      if (isUnknown) {
        expect([studios.read(toPath('a')), studios.credits()], context).toEqual([before, credits]);
        continue;
      }
      expect(studios.studio.account(), context).toMatchObject({ balance: 1000, settled: 1000, sequence: 3 });
      expect(studios.read(toPath('a')), context).toMatchObject({ status: 'refunded', prompt: null });
    }
  });
});

it('an image is deleted under its own name, although that and another field are spoilt', async () => {
  const studios = createStudios();
  await studios.studio.generate('a');
  studios.studio.edit(toPath('a'), { publicId: 'another', prompt: 7 });
  await remove(studios, 'a', 'publicId, prompt');
  expect([...studios.assets]).toEqual([]);
});

it('an image is not called deleted if its document does not show its name any more', async () => {
  const studios = createStudios();
  const { studio } = studios;
  await studio.generate('a');
  studio.edit(toPath('a'), { publicId: removed, owner: removed });
  const before = studios.read(toPath('a'));
  const { status, body } = await studio.deleteGeneration(toId('a'));
  expect([status, body.error.details[0]]).toMatchObject([
    409,
    {
      reason: 'ACCOUNT_INVALID',
      metadata: { field: 'generations', generationId: toId('a'), retry: 'no' },
    },
  ]);
  expect([studios.read(toPath('a')), studios.assets.size]).toEqual([before, 1]);
});
