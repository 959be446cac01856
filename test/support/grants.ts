/** What tests of `grant` share: the call itself, and the entries that it leaves. */
import { startGatedGemini } from './modelGate.ts';
import { schedulerEnv } from './scheduler.ts';
import { startStack } from './stack.ts';

type Options = { key?: string; token?: string; url?: string };

export async function startGrants() {
  const gemini = await startGatedGemini();
  const stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url, ...schedulerEnv });
  let keys = 0;
  const newKey = () => `key-${++keys}`;
  return {
    stack,
    gemini,
    newKey,

    /** Grants as the emulators' superuser, under a new key, unless the options say otherwise. */
    grant(body: unknown, { key = newKey(), token = 'owner', url }: Options = {}) {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      };
      return stack.fetch('grant', { method: 'POST', headers, body: JSON.stringify(body) }, url);
    },

    getAmounts: async (uid: string) => (await stack.ledger(uid)).entries.map(({ amount }) => amount),

    async close() {
      await stack.close();
      await gemini.close();
    },
  };
}
