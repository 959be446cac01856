/** What tests of console edits share: a stack whose model can be held, and what an edit must leave behind. */
import { expect } from 'vitest';
import { brokenInvariants } from './invariants.ts';
import { startGatedGemini } from './modelGate.ts';
import { startStack } from './stack.ts';
import type { User } from './users.ts';

type Fields = Record<string, unknown>;

export async function startConsoleEdits() {
  const gemini = await startGatedGemini();
  const stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  return {
    stack,
    gemini,

    /** The account has exactly this adjustment after its first entry, this balance, and no open edit. */
    async expectRecorded({ uid }: User, adjustment: Fields, { balance }: { balance: number }) {
      const { account, entries } = await stack.ledger(uid);
      expect(entries.filter(({ type }) => type === 'adjustment').slice(1)).toMatchObject([adjustment]);
      expect(account).toMatchObject({ balance, settled: balance, sequence: entries.length });
      expect(account).not.toHaveProperty('adjust');
      expect(account).not.toHaveProperty('note');
    },

    /** The account adds up. One that the test deleted is opened again first. */
    async expectSound(user: User) {
      if ((await stack.document(user.path)) === undefined) await user.get('account');
      expect(await brokenInvariants(stack, user.uid)).toEqual([]);
    },

    async close() {
      await stack.close();
      await gemini.close();
    },
  };
}
