import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationSchema } from '../../shared/contract.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getDetail, getErrorInfo, getRefusal } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

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

const prompt = 'A secret garden';

/** A user with one finished image. */
async function createImage(uid: string) {
  const user = await stack.user(uid, 10);
  const { body } = await user.generate('k', { prompt, tier: 'premium2' });
  const { id } = body.generation as { id: string };
  const { publicId = '' } = (await stack.ledger(uid)).generations[0] ?? {};
  expect(stack.cloudinary.assets.has(publicId)).toBe(true);
  return {
    user,
    id,
    publicId,
    first: body,
    remove: () => user.post('deleteGeneration', { id }),
    getStored: () => stack.document(`accounts/${uid}/generations/${id}`),
  };
}

/** The requests to the image store that delete this image. */
const findDestroys = (of: string) =>
  stack.cloudinary.requests.filter(({ action, publicId }) => action === 'destroy' && publicId === of);

describe('a deleted generation', () => {
  it('has no image in the store, and the CDN is invalidated', async () => {
    const { remove, publicId, first, id } = await createImage('image');
    expect((await remove()).status).toBe(200);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(findDestroys(publicId)).toMatchObject([{ invalidate: true }]);
    for (const url of [first.generation.image.url, first.generation.image.thumbnailUrl]) {
      expect((await fetch(url)).status).toBe(404);
    }
    expect(await stack.document(`outbox/${id}`)).toBeUndefined();
    expect(await strayImages(stack, ['image'])).toEqual([]);
  });

  it('has no prompt in any document of its user', async () => {
    const { remove, getStored } = await createImage('prompt');
    const { body } = await remove();
    expect(body).toEqual({ generation: expect.anything() });
    expect(generationSchema.parse(body.generation)).toMatchObject({
      status: 'deleted',
      prompt: null,
      enhancedPrompt: null,
      image: null,
    });
    expect(await getStored()).toMatchObject({
      status: 'deleted',
      prompt: null,
      enhancedPrompt: null,
      image: null,
    });
    expect(JSON.stringify(await stack.ledger('prompt'))).not.toContain(prompt);
    expect(JSON.stringify(stack.logs)).not.toContain(prompt);
  });

  it('keeps its entries, its price and its key, which answers 410 and never generates again', async () => {
    const { user, remove, first } = await createImage('key');
    const before = await stack.ledger('key');
    await remove();
    const after = await stack.ledger('key');
    expect(after.entries).toEqual(before.entries);
    expect(after.account).toEqual(before.account);

    const callsBefore = stack.gemini.requests.length;
    const again = await user.generate('k', { prompt, tier: 'premium2' });
    expect(getRefusal(again)).toEqual([410, 'DELETED']);
    expect(getErrorInfo(again).metadata.retry).toBe('no');
    expect(again.body.receipt).toEqual(first.receipt);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = await user.generate('k', { prompt: 'Something else' });
    expect(getRefusal(other)).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(stack.gemini.requests.length).toBe(callsBefore);
    expect((await user.get('account')).body.account.balance).toBe(8);
    expect(await brokenInvariants(stack, 'key')).toEqual([]);
  });

  it('is not in the gallery, and `generation` shows the deleted record', async () => {
    const { user, id, remove } = await createImage('gallery');
    const kept = (await user.generate('kept')).body.generation;
    const { body } = await remove();
    expect((await user.get('gallery')).body.generations).toEqual([kept]);
    for (const query of [`id=${id}`, 'key=k']) {
      expect(await user.get(`generation?${query}`)).toMatchObject({ status: 200, body });
    }
  });

  it('may be deleted again, with the same reply and no further deletion', async () => {
    const { remove, publicId } = await createImage('again');
    const first = await remove();
    const second = await remove();
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect(findDestroys(publicId)).toHaveLength(1);
  });

  it('may be deleted many times at once', async () => {
    const { remove, publicId } = await createImage('at-once');
    const answers = await Promise.all(Array.from({ length: 6 }, remove));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(await brokenInvariants(stack, 'at-once')).toEqual([]);
  });

  it('leaves the images of other users', async () => {
    const [mine, theirs] = [await createImage('mine'), await createImage('theirs')];
    await mine.remove();
    expect(stack.cloudinary.assets.has(theirs.publicId)).toBe(true);
    expect((await theirs.user.get(`generation?id=${theirs.id}`)).body.generation.status).toBe('succeeded');
  });
});

describe('a generation that cannot be deleted', () => {
  it('is one in progress: 409, and it goes on', async () => {
    const user = await stack.user('pending', 10);
    const id = hashGenerationId('pending', 'k');
    const reply = await gemini.during(
      () => user.generate('k'),
      async () => {
        const answer = await user.post('deleteGeneration', { id });
        expect(getRefusal(answer)).toEqual([409, 'IN_PROGRESS']);
        expect(getErrorInfo(answer).metadata.generationId).toBe(id);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      },
    );
    expect(reply.status).toBe(200);
    expect((await user.post('deleteGeneration', { id })).body.generation.status).toBe('deleted');
    expect(await brokenInvariants(stack, 'pending')).toEqual([]);
  });

  it("is another user's or an unknown one: 404", async () => {
    const { id, publicId } = await createImage('owner');
    const thief = await stack.user('thief', 10);
    for (const target of [id, 'f'.repeat(32)]) {
      const answer = await thief.post('deleteGeneration', { id: target });
      expect(getRefusal(answer)).toEqual([404, 'NOT_FOUND']);
    }
    expect(stack.cloudinary.assets.has(publicId)).toBe(true);
    expect(await stack.document('accounts/thief/generations/id')).toBeUndefined();
  });
});

describe('a refunded generation', () => {
  it('loses its prompt when it is deleted, and stays refunded', async () => {
    const user = await stack.user('refunded', 10);
    const id = hashGenerationId('refunded', 'k');
    gemini.script(geminiFault.promptBlocked());
    const failed = await user.generate('k', { prompt });

    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await user.post('deleteGeneration', { id });
      expect(status).toBe(200);
      expect(generationSchema.parse(body.generation)).toMatchObject({
        status: 'refunded',
        prompt: null,
        failure: { reason: 'CONTENT_BLOCKED' },
      });
    }
    expect(JSON.stringify(await stack.ledger('refunded'))).not.toContain(prompt);
    const again = await user.generate('k', { prompt });
    expect(again.status).toBe(422);
    expect(again.body).toEqual(failed.body);
    expect(await brokenInvariants(stack, 'refunded')).toEqual([]);
  });

  it('is what deleting a generation past its deadline leaves', async () => {
    const user = await stack.user('expired', 10);
    const id = hashGenerationId('expired', 'k');
    await gemini.during(
      () => user.generate('k', { prompt }),
      async () => {
        await stack.edit(`accounts/expired/generations/${id}`, { deadline: new Date(0) });
        const { status, body } = await user.post('deleteGeneration', { id });
        expect(status).toBe(200);
        expect(body.generation).toMatchObject({
          status: 'refunded',
          prompt: null,
          failure: { reason: 'EXPIRED' },
        });
      },
    );
    expect((await user.get('account')).body.account.balance).toBe(10);
    expect(JSON.stringify(await stack.ledger('expired'))).not.toContain(prompt);
    expect(await brokenInvariants(stack, 'expired')).toEqual([]);
    expect(await strayImages(stack, ['expired', 'mine', 'theirs', 'owner', 'gallery'])).toEqual([]);
  });
});

describe('an image that the store fails to delete', () => {
  it.each([
    ['an error', cloudinaryFault.error(500)],
    ['a rate limit', cloudinaryFault.rateLimited()],
    ['a broken connection', cloudinaryFault.reset()],
    ['an HTML page', cloudinaryFault.html()],
  ])('with %s is deleted for its user and waits in the outbox', async (name, fault) => {
    const uid = `outbox-${name.replaceAll(' ', '-')}`;
    const { user, id, publicId, remove, getStored } = await createImage(uid);
    stack.cloudinary.always({ action: 'destroy', ...fault });
    const answer = await remove();
    stack.cloudinary.always(undefined);

    expect(answer.status).toBe(200);
    expect(answer.body.generation).toMatchObject({ status: 'deleted', image: null });
    expect(await getStored()).toMatchObject({ status: 'deleted', prompt: null, image: null });
    expect((await user.get('gallery')).body.generations).toEqual([]);
    const waiting = await stack.document(`outbox/${id}`);
    expect(waiting).toMatchObject({ uid, generationId: id, publicId });
    expect(Number(waiting?.dueAt)).toBeGreaterThan(Number(waiting?.createdAt));
    expect((await remove()).status).toBe(200);
    expect(await stack.document(`outbox/${id}`)).toMatchObject({ publicId });
    expect(JSON.stringify(waiting)).not.toContain(prompt);
  });

  it('is deleted if only the reply was lost', async () => {
    const { id, publicId, remove } = await createImage('lost-answer');
    stack.cloudinary.script({ action: 'destroy', ...cloudinaryFault.reset(), afterWork: true });
    expect((await remove()).status).toBe(200);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(await stack.document(`outbox/${id}`)).toMatchObject({ publicId });
  });
});

describe('the request', () => {
  it.each([
    ['no id', {}, 'id'],
    ['an id that is not text', { id: 7 }, 'id'],
    ['a path', { id: '../../accounts/mine' }, 'id'],
    ['a key', { id: 'k' }, 'id'],
    ['more than an id', { id: '0'.repeat(32), uid: 'mine' }, 'uid'],
  ])('with %s is refused', async (_, body, field) => {
    const reply = await (await stack.user('asker')).post('deleteGeneration', body);
    expect(reply.status).toBe(400);
    expect(getDetail(reply, 'BadRequest').fieldViolations).toMatchObject([{ field }]);
  });

  it('is for signed-in users, with POST', async () => {
    expect((await stack.fetch('deleteGeneration', { method: 'POST' })).status).toBe(401);
    expect((await (await stack.user('asker')).get('deleteGeneration')).status).toBe(405);
  });
});
