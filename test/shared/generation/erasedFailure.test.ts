/** What the model said of a prompt goes with the prompt. */
import { expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const words = 'a portrait of my neighbour';
const failures = {
  NO_IMAGE: () =>
    new Failure('NO_IMAGE', `The model answered without an image: ${words}`, {
      metadata: { finishReason: 'STOP' },
    }),
  CONTENT_BLOCKED: () =>
    new Failure('CONTENT_BLOCKED', `It refused ${words}.`, { metadata: { finishReason: 'IMAGE_SAFETY' } }),
  PROVIDER_ERROR: () => new Failure('PROVIDER_ERROR', `It broke at ${words}.`),
};

function createStudio(failure: () => Failure, world = createMemoryWorld()) {
  const imageGenerator = async () => {
    throw failure();
  };
  return { ...createMemoryStudio({ world, imageGenerator }), world };
}

it.each(Object.entries(failures))(
  '%s: the reason stays, without the words of the model',
  async (reason, failure) => {
    const studio = createStudio(failure);
    const first = await studio.generate('k');
    expect(first.body.error.message).toContain(words);
    const [before] = studio.documents('accounts/ann/generations');
    const id = String(before?.publicId).split('/')[0] ?? '';
    const removed = await studio.deleteGeneration(id);
    expect(removed.status).toBe(200);
    expect(removed.body.generation).toMatchObject({ status: 'refunded', prompt: null, failure: { reason } });
    const [after] = studio.documents('accounts/ann/generations');
    expect(after).toMatchObject({ status: 'refunded', failure: { reason }, receipt: before?.receipt });
    for (const text of [JSON.stringify(after), JSON.stringify(removed.body)]) {
      for (const said of [words, 'STOP']) expect(text).not.toContain(said);
    }

    const again = await studio.generate('k');
    expect(toOutcome(again)).toEqual([first.status, reason]);
    expect(again.body.error.message).not.toContain(words);
    expect(again.body.error.details[0]?.metadata.retry).toBe('new_key');
    expect(again.body.receipt).toEqual(first.body.receipt);
  },
);

it('a repeated deletion erases the words that an earlier version left', async () => {
  const studio = createStudio(failures.NO_IMAGE);
  await studio.generate('k');
  const { store } = studio.world;
  const [document] = store.page({
    collection: 'accounts/ann/generations',
    orderBy: [['__name__', 'asc']],
    limit: 1,
  }).documents;
  if (!document) throw new Error('There is no generation');
  const at = document.version;
  store.commit([{ update: document.path, data: { prompt: null, enhancedPrompt: null }, at }]);
  await studio.deleteGeneration(document.id);
  const [erased] = studio.documents('accounts/ann/generations');
  expect(JSON.stringify(erased)).not.toContain(words);
  await studio.deleteGeneration(document.id);
  expect(store.read([document.path]).documents[0]?.data).toEqual(erased);
});

it('the key of a deleted image is 410', async () => {
  const studio = createMemoryStudio({});
  const { id } = (await studio.generate('k')).body.generation;
  await studio.deleteGeneration(id);
  expect(toOutcome(await studio.generate('k'))).toEqual([410, 'DELETED']);
});
