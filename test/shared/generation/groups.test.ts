/** Images that are asked for together, and what the user wrote before an improvement. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryStudio, image, toOutcome } from '../../support/memoryStudio.ts';

const toId = (key: string) => hashGenerationId('ann', key);
const keys = ['a', 'b', 'c', 'd'];

describe('a group', () => {
  it('is shown by every function, and each of its images has its own debit', async () => {
    const studio = createMemoryStudio({});
    const answers = await Promise.all(keys.map((key) => studio.generate(key, { group: 'four' })));
    expect(answers.map(({ status, body }) => [status, body.generation.group])).toEqual(
      keys.map(() => [200, 'four']),
    );
    await studio.generate('e');
    const { generations } = (await studio.get('gallery')).body;
    const grouped = (generations as { id: string; group?: string }[]).filter(({ group }) => group === 'four');
    expect(grouped.map(({ id }) => id).sort()).toEqual(keys.map(toId).sort());
    expect((await studio.get('generation', { key: 'a' })).body.generation.group).toBe('four');
    expect((await studio.get('generation', { key: 'e' })).body.generation).not.toHaveProperty('group');
    expect(studio.account()?.balance).toBe(95);
  });

  it('of which one image fails refunds exactly that one', async () => {
    let calls = 0;
    const studio = createMemoryStudio({
      async imageGenerator() {
        calls += 1;
        if (calls === 3) throw new Failure('NO_IMAGE', 'The model returned no image.');
        return image();
      },
    });
    const answers = [];
    for (const key of keys) answers.push(await studio.generate(key, { group: 'four' }));
    expect(answers.map(toOutcome)).toEqual([
      [200, undefined],
      [200, undefined],
      [502, 'NO_IMAGE'],
      [200, undefined],
    ]);
    expect(answers[2]?.body.receipt).toMatchObject({ charged: 1, refunded: 1 });
    const refunds = studio.documents('accounts/ann/entries').filter(({ type }) => type === 'refund');
    expect(refunds).toMatchObject([{ generationId: toId('c'), amount: 1 }]);
    expect(studio.account()?.balance).toBe(97);
    expect((await studio.get('generation', { key: 'c' })).body.generation.group).toBe('four');
  });

  it('counts as each of its images: a fifth in flight is refused, and nothing moves', async () => {
    const waiting: (() => void)[] = [];
    const studio = createMemoryStudio({
      imageGenerator: () => new Promise((resolve) => waiting.push(() => resolve(image()))),
    });
    const running = keys.map((key) => studio.generate(key, { group: 'five' }));
    await expect.poll(() => waiting.length).toBe(4);
    const before = studio.account();
    expect(toOutcome(await studio.generate('e', { group: 'five' }))).toEqual([429, 'RATE_LIMITED']);
    expect(studio.account()).toEqual(before);
    for (const finish of waiting) finish();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('is part of what a key identifies', async () => {
    const studio = createMemoryStudio({});
    const first = await studio.generate('a', { group: 'one' });
    expect((await studio.generate('a', { group: 'one' })).body).toEqual(first.body);
    for (const more of [{ group: 'two' }, {}]) {
      expect(toOutcome(await studio.generate('a', more))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
    expect(studio.account()?.balance).toBe(99);
  });

  it('is no part of what the cache finds an image by', async () => {
    const studio = createMemoryStudio({ env: { CACHE_TTL_SECONDS: '3600' } });
    await studio.generate('a', { group: 'one' });
    const { generation } = (await studio.generate('b', { group: 'two' })).body;
    expect(generation).toMatchObject({ cached: true, group: 'two' });
  });

  it.each(['x', ' ', 'a'.repeat(64), '\u{1f34c}'.repeat(64)])('may be %j', async (group) => {
    const studio = createMemoryStudio({});
    expect((await studio.generate('a', { group })).body.generation.group).toBe(group);
  });

  it.each(['', 'a'.repeat(65), 'a\u0000', '\ud800', 7, null, ['a']])('may not be %j', async (group) => {
    const studio = createMemoryStudio({});
    const answer = await studio.generate('a', { group });
    expect(toOutcome(answer)).toEqual([400, 'INVALID_REQUEST']);
    const violations = answer.body.error.details.flatMap(({ fieldViolations }) => fieldViolations ?? []);
    expect(violations).toMatchObject([{ field: 'group' }]);
    expect(studio.documents('accounts')).toEqual([]);
  });
});

describe('the original prompt', () => {
  const improved = async () => ({
    text: JSON.stringify({ prompt: 'A ripe banana on a table' }),
    finishReason: 'STOP',
    providerCostMicros: 1,
  });

  it.each<[string, object, string | undefined]>([
    ['is what the request says', { originalPrompt: 'banana' }, 'banana'],
    ['is the prompt if the request asks to enhance it', { enhance: true }, 'A banana'],
    ['is what the request says, also with enhance', { enhance: true, originalPrompt: 'banana' }, 'banana'],
    ['is absent without an improvement', {}, undefined],
  ])('%s', async (_, more, originalPrompt) => {
    const studio = createMemoryStudio({ write: improved });
    const { body } = await studio.generate('a', more);
    expect(body.generation.originalPrompt).toBe(originalPrompt);
    expect(body.generation.prompt).toBe('A banana');
    const [shown] = (await studio.get('gallery')).body.generations;
    expect(shown).toEqual(body.generation);
  });

  it('is no part of what a key identifies: the first one stays', async () => {
    const studio = createMemoryStudio({});
    const first = await studio.generate('a', { originalPrompt: 'banana' });
    expect((await studio.generate('a', { originalPrompt: 'fruit' })).body).toEqual(first.body);
    expect((await studio.generate('a')).body).toEqual(first.body);
    expect(studio.account()?.balance).toBe(99);
  });

  it('is never sent to the model', async () => {
    const sent: string[] = [];
    const studio = createMemoryStudio({
      async imageGenerator(request) {
        sent.push(JSON.stringify(request));
        return image();
      },
    });
    await studio.generate('a', { originalPrompt: 'secret words' });
    expect(sent.join()).not.toContain('secret');
  });

  it.each(['', ' ', 'a'.repeat(4001), '\u0007', 7])('may not be %j', async (originalPrompt) => {
    const studio = createMemoryStudio({});
    expect(toOutcome(await studio.generate('a', { originalPrompt }))).toEqual([400, 'INVALID_REQUEST']);
  });
});

describe('all of it is erased', () => {
  const words = { group: 'private group', originalPrompt: 'private words', prompt: 'private prompt' };
  const createOwner = async (result: () => Promise<ReturnType<typeof image>>) => {
    const studio = createMemoryStudio({ imageGenerator: result });
    await studio.generate('a', words);
    expect(JSON.stringify(studio.documents('accounts/ann/generations'))).toContain('private words');
    return studio;
  };
  const signed = async () => ({ ...image(), thoughtSignature: 'private signature' });

  it.each<[string, () => Promise<ReturnType<typeof image>>]>([
    ['finished', signed],
    [
      'refunded',
      async () => {
        throw new Failure('NO_IMAGE', 'private answer');
      },
    ],
  ])('when its user deletes a %s generation', async (_, result) => {
    const studio = await createOwner(result);
    const { status, body } = await studio.deleteGeneration(toId('a'));
    expect(status).toBe(200);
    expect(JSON.stringify([body, studio.documents('accounts/ann/generations')])).not.toContain('private');
  });

  it('when it is deleted again, if it was kept the first time', async () => {
    const studio = await createOwner(signed);
    await studio.deleteGeneration(toId('a'));
    studio.edit(`accounts/ann/generations/${toId('a')}`, { originalPrompt: 'private words' });
    await studio.deleteGeneration(toId('a'));
    expect(JSON.stringify(studio.documents('accounts/ann/generations'))).not.toContain('private');
  });

  it('when the studio takes the image down', async () => {
    const studio = await createOwner(signed);
    const takedown = { uid: 'ann', generationId: toId('a'), reason: 'Illegal' };
    expect((await studio.call('takedown', takedown, { as: 'admin' })).status).toBe(200);
    expect(JSON.stringify(studio.documents('accounts/ann/generations'))).not.toContain('private');
  });
});
