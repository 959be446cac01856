/** What an admin suspends, deletes or changes while an image is generated: no credit and no image is lost. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationPath, hashGenerationId } from '../../shared/generation/record.ts';
import { startConsoleEdits } from '../support/consoleEdits.ts';
import { getErrorInfo, getRefusal } from '../support/replies.ts';
import type { User } from '../support/users.ts';

const world = await startConsoleEdits();
const { stack, gemini } = world;

let user: User;
const edit = (fields: Record<string, unknown>) => stack.edit(user.path, fields);
const ledger = () => stack.ledger(user.uid);

afterEach(() => world.expectSound(user));
afterAll(world.close);

describe('suspending an account', () => {
  it('refuses the next hold, but not the generation in progress', async () => {
    user = await stack.newAccount();
    const { status } = await gemini.during(
      () => user.generate('k'),
      async () => {
        await edit({ suspended: true });
        const refused = await user.generate('next');
        expect(getRefusal(refused)).toEqual([403, 'ACCOUNT_SUSPENDED']);
      },
    );
    expect(status).toBe(200);
    expect((await user.generate('k')).status).toBe(200);
    await edit({ suspended: false });
    expect((await user.generate('next')).status).toBe(200);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 8, sequence: 3 });
  });

  it('does not withhold a refund', async () => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(
      () => user.generate('k'),
      () => edit({ suspended: true }),
    );
    expect(body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
  });
});

describe('an account deleted during a generation', () => {
  it('does not withhold the image, and is recreated with 0 credits', async () => {
    user = await stack.newAccount();
    const { status } = await gemini.during(
      () => user.generate('k'),
      () => stack.erase(user.path),
    );
    expect(status).toBe(200);
    expect(await stack.document(user.path)).toBeUndefined();
    expect((await user.get('gallery')).body.generations).toHaveLength(1);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 0, sequence: 3 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -1, -9]);
  });

  it('is recreated with the refunded credits', async () => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(
      () => user.generate('k', { tier: 'premium4' }),
      () => stack.erase(user.path),
    );
    expect(body.receipt).toEqual({ charged: 4, refunded: 4, balance: 4, sequence: 4 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -4, -6, 4]);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 4, sequence: 4 });
  });

  it('keeps its new balance if an admin creates it again', async () => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    await gemini.during(
      () => user.generate('k'),
      async () => {
        await stack.erase(user.path);
        await edit({ balance: 50 });
      },
    );
    expect((await user.get('account')).body.account).toMatchObject({ balance: 51, sequence: 4 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -1, 41, 1]);
  });
});

describe('a pending generation that an admin edited', () => {
  const touch = () =>
    stack.edit(generationPath(user.uid, hashGenerationId(user.uid, 'k')), { remark: 'seen' });

  it('is still settled', async () => {
    user = await stack.newAccount();
    const { status } = await gemini.during(() => user.generate('k'), touch);
    expect(status).toBe(200);
    expect((await ledger()).generations).toMatchObject([{ status: 'succeeded', remark: 'seen' }]);
  });

  it('is still refunded', async () => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(() => user.generate('k'), touch);
    expect(body.receipt).toMatchObject({ refunded: 1, balance: 10 });
    expect((await ledger()).generations).toMatchObject([{ status: 'refunded', remark: 'seen' }]);
  });
});

describe('a generation whose document an admin deletes', () => {
  const document = () => generationPath(user.uid, hashGenerationId(user.uid, 'k'));

  it('is refunded, its image goes to the outbox, and its key generates nothing again', async () => {
    user = await stack.newAccount();
    const { body } = await gemini.during(
      () => user.generate('k'),
      () => stack.erase(document()),
    );
    expect(body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -1, 1]);
    const id = hashGenerationId(user.uid, 'k');
    const { documents } = await stack.database.read([`outbox/${id}`]);
    expect(documents[0]?.data.publicId).toContain(id);

    const again = await user.generate('k');
    expect(again.status).toBe(410);
    expect(getErrorInfo(again)).toMatchObject({ reason: 'DELETED', metadata: { retry: 'no' } });
    expect((await user.generate('another')).status).toBe(200);
  });
});
