/** An image that is not what was requested is asked for once more of the next model, then refunded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { getRefusal } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

const [first, second] = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1'];
/** What Google bills for an image of each, micro-dollars. */
const costs = { first: 39_000, second: 33_600 };
const credits = { standard: 1, premium2: 2, premium4: 4 };
type Tier = keyof typeof credits;

let stack: Stack;
let alone: { url: string; close: () => Promise<void> };
let users = 0;

beforeAll(async () => {
  const database = (of: Stack) => ({ database: { ...of.database, close: async () => {} } });
  stack = await startStack({ IMAGEGEN_MODEL_ID: first, IMAGEGEN_FALLBACK_MODEL_IDS: second });
  alone = await stack.startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: '' }, database(stack));
});
afterAll(async () => {
  await alone.close();
  await stack.close();
});

async function generate(tier: Tier, url: string, ...steps: GeminiStep[]) {
  const user = await stack.user(`user-${++users}`, 10);
  const before = stack.gemini.requests.length;
  stack.gemini.script(...steps);
  const reply = await user.generate('key', { tier }, url);
  const models = stack.gemini.requests.slice(before).map(({ model }) => model);
  const ledger = await stack.ledger(user.uid);
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  expect(await strayImages(stack, [user.uid])).toEqual([]);
  return { reply, models, ...ledger };
}

const unusable: [string, Tier, GeminiStep, RegExp][] = [
  ['a square for 16:9', 'premium4', geminiFault.otherShape('1:1'), /1024 x 1024 pixels, which is not 16:9/],
  ['a square for 3:2', 'premium2', geminiFault.otherShape('1:1'), /which is not 3:2/],
  ['16:9 for a square', 'standard', geminiFault.otherShape('16:9'), /which is not 1:1/],
  ['one pixel for 16:9', 'premium4', geminiFault.onePixel(), /1 x 1 pixels, which is not 16:9/],
  ['one pixel for a square', 'standard', geminiFault.onePixel(), /only 1 x 1 pixels/],
  ['less than half of each side', 'standard', geminiFault.sized(500, 500), /only 500 x 500 pixels/],
  ['a PNG that is cut off', 'standard', geminiFault.cutOff('image/png'), /broken/],
  ['a JPEG that is cut off', 'premium2', geminiFault.cutOff('image/jpeg'), /broken/],
  ['a WebP that is cut off', 'premium4', geminiFault.cutOff('image/webp'), /broken/],
];

describe.each(unusable)('%s', (_, tier, step, message) => {
  it('is refunded, and what Google bills is kept', async () => {
    const { reply, models, generations, entries } = await generate(tier, alone.url, step);
    expect(getRefusal(reply)).toEqual([502, 'NO_IMAGE']);
    expect(reply.body.error.message).toMatch(message);
    expect(reply.body.receipt).toEqual({
      charged: credits[tier],
      refunded: credits[tier],
      balance: 10,
      sequence: 3,
    });
    expect(models).toEqual([first]);
    expect(generations).toMatchObject([{ status: 'refunded', image: null, providerCostMicros: costs.first }]);
    expect(entries.at(-1)).toMatchObject({ type: 'refund', reason: 'NO_IMAGE' });
  });

  it('is asked for once more, of the next model', async () => {
    const { reply, models, generations } = await generate(tier, stack.url, step, geminiFault.blank());
    expect(reply.status).toBe(200);
    expect(reply.body.receipt).toMatchObject({ charged: credits[tier], refunded: 0 });
    expect(models).toEqual([first, second]);
    expect(generations).toMatchObject([
      { status: 'succeeded', model: second, providerCostMicros: costs.first + costs.second },
    ]);
  });
});

it('is refunded if the next model returns one, too', async () => {
  const step = geminiFault.cutOff();
  const { reply, models, generations } = await generate('premium2', stack.url, step, step);
  expect(getRefusal(reply)).toEqual([502, 'NO_IMAGE']);
  expect(reply.body.receipt).toMatchObject({ charged: 2, refunded: 2, balance: 10 });
  expect(models).toEqual([first, second]);
  // The tokens of the second reply, its prompt's included, cost 8 more than the price of its image.
  expect(generations).toMatchObject([{ providerCostMicros: costs.first + costs.second + 8 }]);
});

it.each(['image/png', 'image/jpeg', 'image/webp'] as const)('a whole %s is delivered', async (mimeType) => {
  for (const tier of ['standard', 'premium2', 'premium4'] as const) {
    const { reply } = await generate(tier, stack.url, geminiFault.blank(mimeType));
    expect([reply.status, reply.body.generation?.image.mimeType]).toEqual([200, mimeType]);
  }
});
