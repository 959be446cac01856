/** Every call that takes a generation of the caller, with every field of its document removed or of any type. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { createStudios, edits, fewEdits, fields, toId, toPath } from '../../support/spoiltFields.ts';

const id = toId('a');
type Studios = ReturnType<typeof createStudios>;
type Studio = Studios['studio'];

/** What a generation may be when an admin spoils it. */
const states = {
  'a shared image': (studios: Studios) => studios.share('a'),
  async 'a deleted image'({ studio }: Studios) {
    await studio.generate('a');
    await studio.deleteGeneration(id);
  },
  'a pending generation': (studios: Studios) => studios.hang('a'),
  async 'an overdue generation'(studios: Studios) {
    await studios.hang('a');
    studios.world.advance(600_000);
  },
  async 'a refunded generation'({ create }: Studios) {
    const blocked = create(async () => {
      throw new Failure('CONTENT_BLOCKED', 'Blocked.', { metadata: { finishReason: 'SAFETY' } });
    });
    await blocked.generate('a');
  },
};

/** In an order in which each finds what it needs. */
const calls: Record<string, (studio: Studio) => Promise<{ status: number }>> = {
  generation: (studio) => studio.get('generation', { id }),
  'generation by key': (studio) => studio.get('generation', { key: 'a' }),
  generate: (studio) => studio.generate('a'),
  editOf: (studio) => studio.generate('edit', { editOf: id }),
  references: (studio) => studio.generate('with', { references: [{ generationId: id }] }),
  gallery: (studio) => studio.get('gallery'),
  'gallery of favourites': (studio) => studio.get('gallery', { favourite: 'true' }),
  'gallery of a search': (studio) => studio.get('gallery', { query: 'banana' }),
  exportAccount: (studio) => studio.get('exportAccount'),
  favourite: (studio) => studio.call('favourite', { id, favourite: true }),
  'no favourite': (studio) => studio.call('favourite', { id, favourite: false }),
  share: (studio) => studio.call('share', { id, shared: true }),
  'no share': (studio) => studio.call('share', { id, shared: false }),
  deleteGeneration: (studio) => studio.deleteGeneration(id),
};

describe.each(Object.keys(states) as (keyof typeof states)[])('%s', (state) => {
  it.each(fields)('with a spoilt %s fails no call, and each names the document in the log', async (field) => {
    for (const edit of state === 'a shared image' ? edits : fewEdits) {
      const studios = createStudios();
      const { studio } = studios;
      await states[state](studios);
      studios.spoil('a', field, edit);
      for (const [name, call] of Object.entries(calls)) {
        const isReadable = studios.isReadable('a');
        // A document is logged once for each version.
        studio.edit(toPath('a'), { calledBy: name });
        const from = studio.lines.length;
        const { status } = await call(studio);
        const context = `${name} after ${field} became ${String(edit)}`;
        // A refund that has lost its failure repeats it as INTERNAL.
        const hasNoFailure = state === 'a refunded generation' && field === 'failure' && edit === null;
        if (name !== 'generate' || !hasNoFailure) expect(status, context).toBeLessThan(500);
        // The query of a gallery may leave the document out.
        if (isReadable || name.startsWith('gallery')) continue;
        const line = { event: 'document_unreadable', path: toPath('a') };
        expect(studio.lines.slice(from), context).toContainEqual(expect.objectContaining(line));
      }
    }
  });
});
