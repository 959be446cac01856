import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../support/invariants.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

describe('generates an image of each tier and orientation', () => {
  it.each([
    ['standard', 'landscape', 1, 1024, 1024, '1:1'],
    ['standard', 'portrait', 1, 1024, 1024, '1:1'],
    ['premium2', 'landscape', 2, 1248, 832, '3:2'],
    ['premium2', 'portrait', 2, 832, 1248, '2:3'],
    ['premium4', 'landscape', 4, 1344, 768, '16:9'],
    ['premium4', 'portrait', 4, 768, 1344, '9:16'],
  ])('%s %s costs %i and is %i x %i', async (tier, orientation, credits, width, height, aspectRatio) => {
    const uid = `happy-${tier}-${orientation}`;
    const user = await stack.user(uid, 10);
    const { status, body, headers } = await user.generate('k', { tier, orientation, prompt: 'Two bananas' });

    expect(status).toBe(200);
    expect(headers.get('idempotent-replayed')).toBeNull();
    expect(body.generation).toMatchObject({
      status: 'succeeded',
      tier,
      orientation,
      prompt: 'Two bananas',
      enhancedPrompt: null,
      model: 'gemini-2.5-flash-image',
      cached: false,
      image: { mimeType: 'image/png', width, height },
    });
    expect(body.receipt).toEqual({ charged: credits, refunded: 0, balance: 10 - credits, sequence: 2 });
    const request = stack.gemini.requests.at(-1)?.body as { generationConfig: { imageConfig: object } };
    expect(request.generationConfig.imageConfig).toEqual({ aspectRatio });
    const { publicId } = (await stack.ledger(uid)).generations[0] ?? {};
    const stored = stack.cloudinary.assets.get(publicId ?? '');
    const delivered = Buffer.from(await (await fetch(body.generation.image.url)).arrayBuffer());
    expect(delivered.length).toBe(body.generation.image.bytes);
    expect(stored).toBeDefined();
    expect((await fetch(body.generation.image.thumbnailUrl)).status).toBe(200);
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });
});
