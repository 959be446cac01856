/** The cache, and documents that an admin deletes or edits in the console: no credit and no image is lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generationPath, hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getReason } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let gemini: GatedGemini;
beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ CACHE_TTL_SECONDS: '3600', GOOGLE_GEMINI_BASE_URL: gemini.url });
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});

it('answers 410, not a hit, to a running key whose document was deleted', async () => {
  const user = await stack.newAccount(20);
  const answer = await gemini.during(
    () => user.generate('a'),
    async () => {
      expect((await user.generate('b')).status).toBe(200);
      await stack.erase(generationPath(user.uid, hashGenerationId(user.uid, 'a')));
      const again = await user.generate('a');
      expect(again.status).toBe(410);
      expect(getReason(again)).toBe('DELETED');
    },
  );
  expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 19 });
  const { generations, entries } = await stack.ledger(user.uid);
  expect(generations.map(({ status }) => status)).toEqual(['succeeded']);
  expect(entries.map(({ amount }) => amount)).toEqual([20, -1, -1, 1]);
});

it('takes no twin as the source of another: only the original keeps the list of sharers', async () => {
  const user = await stack.newAccount(20);
  await user.generate('a');
  const twin = await user.generate('b');
  expect(twin.body.generation.cached).toBe(true);
  const items = await stack.database.page({
    collection: 'cache',
    orderBy: [['expiresAt', 'asc']],
    limit: 10,
  });
  const item = items.documents.find(({ data }) => data.uid === user.uid);
  await stack.edit(item?.path ?? '', { generationId: twin.body.generation.id });

  expect((await user.generate('d')).body.generation.cached).toBe(false);
  for (const key of ['b', 'a']) {
    await user.post('deleteGeneration', { id: hashGenerationId(user.uid, key) });
  }
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  expect(await strayImages(stack, [user.uid])).toEqual([]);
});
