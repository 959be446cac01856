/** A goodwill refund: a grant that belongs to one generation, once, and at most its price. */
import { describe, expect, it } from 'vitest';
import { tokens } from '../../simulation/instance.ts';
import { createMemoryStudio, createMemoryWorld } from '../../support/memoryStudio.ts';

function createStudio() {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world });
  const { call } = studio;
  return {
    ...studio,
    refund: (generationId: string, amount: number, key: string, uid = 'ann') =>
      call('grant', { uid, amount, reason: 'goodwill', generationId }, { key, as: tokens.admin('root') }),
    async makeImage(key = 'a') {
      return (await studio.generate(key, { tier: 'premium4' })).body.generation.id;
    },
    entries: () => studio.documents('accounts/ann/entries'),
    balance: () => studio.account()?.balance,
  };
}

const getViolations = ({ status, body }: Awaited<ReturnType<ReturnType<typeof createStudio>['refund']>>) => [
  status,
  ...body.error.details.flatMap(({ fieldViolations = [] }) => fieldViolations.map(({ field }) => field)),
];

describe('a goodwill refund', () => {
  it('is an entry of the generation, and may be a part of its price', async () => {
    const { makeImage, refund, entries, balance } = createStudio();
    const id = await makeImage();
    const { status, body } = await refund(id, 3, 'g');
    expect([status, balance()]).toEqual([200, 99]);
    expect(body).toMatchObject({
      entry: { id: `${id}:goodwill`, type: 'grant', amount: 3, generationId: id },
    });
    expect(entries()).toContainEqual(expect.objectContaining({ amount: 3, generationId: id }));
  });

  it('comes once, however many admins try, and a repeated call is answered again', async () => {
    const { makeImage, refund, balance } = createStudio();
    const id = await makeImage();
    const answers = await Promise.all(['g', 'h', 'i'].map((key) => refund(id, 4, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect(balance()).toBe(100);
    const key = ['g', 'h', 'i'][answers.findIndex(({ status }) => status === 200)] as string;
    expect((await refund(id, 4, key)).status).toBe(200);
    expect(getViolations(await refund(id, 1, 'other'))).toEqual([400, 'generationId']);
    expect(balance()).toBe(100);
  });

  it('is still possible after the image was deleted, and never more than the price', async () => {
    const { makeImage, refund, deleteGeneration, balance } = createStudio();
    const id = await makeImage();
    await deleteGeneration(id);
    for (const amount of [5, -1])
      expect(getViolations(await refund(id, amount, 'g'))).toEqual([400, 'amount']);
    expect((await refund(id, 4, 'g')).status).toBe(200);
    expect(balance()).toBe(100);
  });

  it('is refused for a generation that was refunded, that still runs, that nobody paid for, or of somebody else', async () => {
    const { makeImage, refund, edit, balance } = createStudio();
    const id = await makeImage();
    expect(getViolations(await refund('0'.repeat(32), 1, 'g'))).toEqual([400, 'generationId']);
    edit(`accounts/ann/generations/${id}`, { status: 'pending' });
    expect(getViolations(await refund(id, 1, 'g'))).toEqual([400, 'generationId']);
    edit(`accounts/ann/generations/${id}`, { status: 'refunded' });
    expect(getViolations(await refund(id, 1, 'g'))).toEqual([400, 'generationId']);
    edit('accounts/bob', { balance: 5 });
    edit(`accounts/ann/generations/${id}`, { status: 'succeeded' });
    expect(getViolations(await refund(id, 1, 'g', 'bob'))).toEqual([400, 'generationId']);
    expect(balance()).toBe(96);
  });

  it('uses up its key: another grant under it is refused', async () => {
    const { makeImage, refund, call } = createStudio();
    const id = await makeImage();
    await refund(id, 1, 'g');
    const plain = await call(
      'grant',
      { uid: 'ann', amount: 1, reason: 'x' },
      { key: 'g', as: tokens.admin('root') },
    );
    expect(plain.status).toBe(422);
    expect((await refund(await makeImage('b'), 1, 'g')).status).toBe(422);
  });
});
