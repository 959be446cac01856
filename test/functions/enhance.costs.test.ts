/** What improved prompts cost is in the audit and under the spend ceiling, and nothing of it is counted twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import type { Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

const prompt = 'A banana on the moon';
const imageMicros = 39_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(() => {
  stack.gemini.always({ ...geminiFault.blank(), model: 'gemini-2.5-flash-image' });
});

const refusalOf = ({ status, body }: Reply) => [status, body.error?.details[0].reason];

/** The documents of the days on which this user had prompts improved. */
async function daysOf(uid: string) {
  const page = {
    collection: `accounts/${uid}/enhancements`,
    orderBy: [['__name__', 'asc']] as const,
    limit: 10,
  };
  return (await stack.database.page(page)).documents.map(({ id, data }) => ({ id, ...data }));
}

async function auditedMicros(uid: string): Promise<number> {
  const headers = { authorization: 'Bearer owner' };
  const { body } = await stack.fetch(`audit?uid=${uid}`, { headers });
  expect(body.accounts[0]).toMatchObject({ ok: true });
  return body.accounts[0].providerCostMicros;
}

/** What one improved prompt costs: a token for four characters, 0.30 dollars a million in and 2.50 out. */
function promptMicros(enhancedPrompt: string): number {
  const answer = JSON.stringify({ prompt: enhancedPrompt, ok: true });
  return Math.ceil(Math.ceil(prompt.length / 4) * 0.3 + Math.ceil(answer.length / 4) * 2.5);
}

describe('the cost of improved prompts', () => {
  it('of enhance is stored by user and day, for 400 days', async () => {
    const user = await stack.user('ada', 0);
    const { body } = await user.post('enhance', { prompt });
    await user.post('enhance', { prompt });
    const [day, ...others] = (await daysOf('ada')) as unknown as { createdAt: Date; expiresAt: Date }[];
    expect(others).toEqual([]);
    expect(day).toEqual({
      id: day?.createdAt.toISOString().slice(0, 10),
      count: 2,
      providerCostMicros: 2 * promptMicros(body.prompt),
      createdAt: expect.any(Date),
      expiresAt: new Date(Number(day?.createdAt) + 400 * 86_400_000),
    });
    await user.get('account');
    expect(await auditedMicros('ada')).toBe(2 * promptMicros(body.prompt));
  });

  it('of generate is stored with the generation alone', async () => {
    const user = await stack.user('ben', 10);
    const { body } = await user.generate('key', { prompt, enhance: true });
    expect(await daysOf('ben')).toMatchObject([{ count: 1, providerCostMicros: 0 }]);
    const ofGeneration = imageMicros + promptMicros(body.generation.enhancedPrompt);
    expect((await stack.ledger('ben')).generations).toMatchObject([{ providerCostMicros: ofGeneration }]);
    expect(await auditedMicros('ben')).toBe(ofGeneration);

    await user.post('enhance', { prompt });
    expect(await auditedMicros('ben')).toBe(ofGeneration + promptMicros(body.generation.enhancedPrompt));
  });

  it('of answers that stop early is stored too', async () => {
    const user = await stack.user('cleo');
    stack.gemini.script({ ...geminiFault.uselessPrompts.cutOff(), model: 'gemini-3.5-flash-lite' });
    const { body } = await user.post('enhance', { prompt });
    expect(body.enhanced).toBe(false);
    expect(await daysOf('cleo')).toMatchObject([{ count: 1, providerCostMicros: 2 }]);
  });

  it('is under the spend ceiling, for enhance and generate alike', async () => {
    const user = await stack.user('dora', 10);
    const database = { ...stack.database, close: async () => {} };
    const { totals } = await stack.database.totals('jobs/spend', [
      { collection: 'generations', group: true, field: 'providerCostMicros' },
    ]);
    // One micro-dollar above what the images cost: only the improved prompts can reach it.
    const micros = String((totals[0]?.sum ?? 0) + 1).padStart(7, '0');
    const ceiling = { MAX_SPEND_PER_DAY_USD: `${micros.slice(0, -6)}.${micros.slice(-6)}` };
    await user.post('enhance', { prompt });
    const { url, close } = await stack.startServer(ceiling, { database });
    const replies = [
      await user.post('enhance', { prompt }, {}, url),
      await user.generate('key', { prompt }, url),
    ];
    await close();
    expect(replies.map(refusalOf)).toEqual([
      [503, 'SPEND_CEILING'],
      [503, 'SPEND_CEILING'],
    ]);
  });
});
