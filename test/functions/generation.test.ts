import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationSchema } from '../../shared/contract.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getRefusal, getViolatedFields } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

let stack: Stack;
let gemini: GatedGemini;
beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});

/** Reads a generation by its id and by its key, which must show the same. */
async function read(user: User, key: string) {
  const byId = await user.get(`generation?id=${hashGenerationId(user.uid, key)}`);
  const byKey = await user.get(`generation?key=${encodeURIComponent(key)}`);
  expect([byId.status, byKey.status]).toEqual([200, 200]);
  expect(byKey.body).toEqual(byId.body);
  expect(Object.keys(byId.body)).toEqual(['generation']);
  return generationSchema.parse(byId.body.generation);
}

describe('a generation is shown by id and by key', () => {
  it.each(['k', 'with spaces & signs?=#%+/', '~'.repeat(255)])(
    'succeeded, as generate answered it: %s',
    async (key) => {
      const user = await stack.user('done', 10);
      const { status, body } = await user.generate(key, { tier: 'premium2', prompt: 'A pear' });
      expect(status).toBe(200);
      expect(await read(user, key)).toEqual(body.generation);
    },
  );

  it('pending, while the model works', async () => {
    const user = await stack.user('waiting', 10);
    await gemini.during(
      () => user.generate('k', { prompt: 'A plum' }),
      async () => {
        const generation = await read(user, 'k');
        expect(generation).toMatchObject({ status: 'pending', prompt: 'A plum', model: null, image: null });
        expect(generation).not.toHaveProperty('failure');
      },
    );
    expect(await read(user, 'k')).toMatchObject({ status: 'succeeded', prompt: 'A plum' });
  });

  it('refunded, with its failure', async () => {
    const user = await stack.user('failed', 10);
    gemini.script(geminiFault.promptBlocked());
    const { status, body } = await user.generate('k');
    expect(status).toBe(422);
    expect(await read(user, 'k')).toMatchObject({
      status: 'refunded',
      image: null,
      failure: { reason: 'CONTENT_BLOCKED', message: body.error.message },
    });
  });

  it('refunded by this call, once its deadline passed', async () => {
    const user = await stack.user('late', 10);
    const id = hashGenerationId('late', 'k');
    const answer = await gemini.during(
      () => user.generate('k', { tier: 'premium4' }),
      async () => {
        await stack.edit(`accounts/late/generations/${id}`, { deadline: new Date(0) });
        expect(await read(user, 'k')).toMatchObject({ status: 'refunded', failure: { reason: 'EXPIRED' } });
        expect((await user.get('account')).body.account.balance).toBe(10);
      },
    );
    expect(getRefusal(answer)).toEqual([410, 'EXPIRED']);
    expect(answer.body.receipt).toEqual({ charged: 4, refunded: 4, balance: 10, sequence: 3 });
    expect(await read(user, 'k')).toMatchObject({ status: 'refunded', image: null });
    expect(await brokenInvariants(stack, 'late')).toEqual([]);
  });

  it('without its owner, its fingerprint and its name in the image store', async () => {
    const user = await stack.user('plain', 10);
    gemini.script(geminiFault.promptBlocked());
    await user.generate('k');
    const shown = await read(user, 'k');
    const stored = await stack.document(`accounts/plain/generations/${shown.id}`);
    for (const secret of ['owner', 'fingerprint', 'publicId']) {
      expect(JSON.stringify(shown)).not.toContain(String(stored?.[secret]));
    }
  });
});

describe('answers 404', () => {
  it.each(['id=ffffffffffffffffffffffffffffffff', 'key=never-used'])('for %s', async (query) => {
    const answer = await (await stack.user('seeker')).get(`generation?${query}`);
    expect(getRefusal(answer)).toEqual([404, 'NOT_FOUND']);
  });

  it("for another user's generation, by its id or its key", async () => {
    const owner = await stack.user('owner', 10);
    expect((await owner.generate('mine')).status).toBe(200);
    const other = await stack.user('other', 10);
    const unknown = await other.get('generation?id=ffffffffffffffffffffffffffffffff');
    for (const query of [`id=${hashGenerationId('owner', 'mine')}`, 'key=mine']) {
      const answer = await other.get(`generation?${query}`);
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual(unknown.body);
    }
  });

  it('for a key that was refused before any debit', async () => {
    const poor = await stack.user('poor', 0);
    expect((await poor.generate('k')).status).toBe(402);
    expect((await poor.get('generation?key=k')).status).toBe(404);
  });
});

describe('refuses an invalid query and names its field', () => {
  const id = '0'.repeat(32);
  it.each([
    ['', 'id'],
    [`id=${id}&key=k`, 'id'],
    [`id=${id}&id=${id}`, 'id'],
    ['id=', 'id'],
    ['id=short', 'id'],
    [`id=${'G'.repeat(32)}`, 'id'],
    ['key=', 'key'],
    [`key=${'k'.repeat(256)}`, 'key'],
    ['key=%C3%A9', 'key'],
    ['key=a%0Ab', 'key'],
    [`id=${id}&uid=owner`, 'uid'],
  ])('%s', async (query, field) => {
    const answer = await (await stack.user('asker')).get(`generation?${query}`);
    expect(getRefusal(answer)).toEqual([400, 'INVALID_REQUEST']);
    expect(getViolatedFields(answer)).toContain(field);
  });

  it('a call without a token, and a POST', async () => {
    expect((await stack.fetch(`generation?id=${id}`)).status).toBe(401);
    expect((await (await stack.user('asker')).post('generation', { id })).status).toBe(405);
  });
});
