/** Users who were deleted in Firebase Authentication: closed at the second look, a day later. */
import { describe, expect, it } from 'vitest';
import { canary, createClosingWorld, fillPerson, findCanary } from '../../support/closing.ts';

const dayMs = 86_400_000;

async function start() {
  const closing = createClosingWorld();
  const studio = closing.start();
  await fillPerson(studio);
  await studio.get('account', {}, 'user:bob');
  const look = async () =>
    (await studio.runJob('reconcile')).body.broken.map(({ uid }: { uid: string }) => uid);
  const isClosing = () => studio.account()?.closedAt !== undefined;
  return { ...closing, studio, look, isClosing };
}

it('an account without its user is reported, and closed after a day', async () => {
  const { users, world, look, isClosing, studio, documents } = await start();
  users.deleted.push('ann');
  expect(await look()).toEqual(['ann']);
  world.advance(dayMs - 1_000);
  expect(await look()).toEqual(['ann']);
  expect(isClosing()).toBe(false);
  world.advance(1_000);
  await look();
  expect(isClosing()).toBe(true);
  await studio.sweep();
  expect(documents.get('closures/ann')).toMatchObject({ status: 'closed', cause: 'missing' });
  expect(findCanary(documents)).toEqual([]);
  expect(await look()).toEqual([]);
  expect(documents.get('accounts/bob')).not.toHaveProperty('closedAt');
  expect(JSON.stringify(studio.lines)).not.toContain(canary);
});

it('a user who is back in between is forgotten', async () => {
  const { users, world, look, isClosing } = await start();
  users.deleted.push('ann');
  await look();
  users.deleted.length = 0;
  world.advance(dayMs);
  expect(await look()).toEqual([]);
  users.deleted.push('ann');
  world.advance(dayMs);
  await look();
  expect(isClosing()).toBe(false);
  world.advance(dayMs);
  await look();
  expect(isClosing()).toBe(true);
});

it('a user may close the account in between', async () => {
  const { users, world, look, studio, documents } = await start();
  users.deleted.push('ann');
  await look();
  expect((await studio.close()).body).toEqual({ status: 'closed' });
  expect(documents.get('closures/ann')).toMatchObject({ cause: 'user' });
  world.advance(dayMs);
  expect(await look()).toEqual([]);
});

describe('a look that finds nearly nobody', () => {
  it('closes no account: the look is wrong', async () => {
    const { users, world, look, studio, documents } = await start();
    for (let i = 0; i < 12; i += 1) {
      await studio.get('account', {}, `user:u${i}`);
      users.deleted.push(`u${i}`);
    }
    await look();
    world.advance(dayMs);
    await look();
    expect(studio.findEvents('users_missing')).toMatchObject([{ missing: 12, of: 14 }, {}]);
    expect([...documents.keys()].filter((path) => path.startsWith('closures/'))).toEqual([]);
  });
});
