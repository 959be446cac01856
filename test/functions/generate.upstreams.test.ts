/** Whatever Gemini answers: the right error, the credits refunded, and none of its words. */
import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { type GeminiStep, geminiFault, googleError } from '../../local/fakes/geminiFaults.ts';
import {
  expectNoVendorWords,
  expectRefunded,
  generateOnce,
  type UpstreamReason,
} from '../support/failedGeneration.ts';
import { strayImages } from '../support/invariants.ts';
import { getDetail } from '../support/replies.ts';
import { useUpstreams } from '../support/upstreamFailures.ts';

const upstreams = await useUpstreams();
const { stack, impatient } = upstreams;

const canvas = createCanvas(1024, 1024);
const png = canvas.toBuffer('image/png');

const replyWith = (code: number, status: string, message: string): GeminiStep => ({
  kind: 'reply',
  ...googleError(code, status, message),
});

describe('refunds a failed call to Gemini and repeats none of its words', () => {
  it.each<[string, GeminiStep, UpstreamReason, billed?: 'billed']>([
    ['400', replyWith(400, 'INVALID_ARGUMENT', '* GenerateContentRequest.contents: bad'), 'PROVIDER_ERROR'],
    ['a bad key', geminiFault.badKey(), 'PROVIDER_MISCONFIGURED'],
    ['a bad region', geminiFault.badRegion(), 'PROVIDER_MISCONFIGURED'],
    ['401', replyWith(401, 'UNAUTHENTICATED', 'Request had no valid key.'), 'PROVIDER_MISCONFIGURED'],
    ['403', geminiFault.forbidden(), 'PROVIDER_MISCONFIGURED'],
    ['404', geminiFault.notFound(), 'PROVIDER_MISCONFIGURED'],
    ['404 of a retired model', geminiFault.noLongerAvailable(), 'PROVIDER_MISCONFIGURED'],
    ['429 per minute', geminiFault.perMinute(20), 'PROVIDER_QUOTA'],
    ['429 per day', geminiFault.perDay(), 'PROVIDER_QUOTA'],
    ['429 for a model without any quota', geminiFault.limitZero(), 'PROVIDER_QUOTA'],
    ['429 for depleted credits', geminiFault.prepaymentDepleted(), 'PROVIDER_QUOTA'],
    ['499', replyWith(499, 'CANCELLED', 'The operation was cancelled.'), 'PROVIDER_ERROR'],
    ['500', geminiFault.internal(), 'PROVIDER_ERROR'],
    ['503', geminiFault.highDemand(), 'PROVIDER_OVERLOADED'],
    ['504', geminiFault.deadline(), 'PROVIDER_TIMEOUT'],
    ['an empty body', geminiFault.emptyBody(), 'PROVIDER_ERROR', 'billed'],
    ['an empty body with 500', geminiFault.emptyBody(500), 'PROVIDER_ERROR'],
    ['an HTML page with 200', geminiFault.html(200), 'PROVIDER_ERROR', 'billed'],
    ['an HTML page with 502', geminiFault.html(502), 'PROVIDER_ERROR'],
    ['an HTML page with 503', geminiFault.html(503), 'PROVIDER_OVERLOADED'],
    ['a reset before the headers', geminiFault.reset(), 'PROVIDER_ERROR'],
    ['a reset after the headers', geminiFault.reset('after-headers'), 'PROVIDER_ERROR', 'billed'],
    ['JSON cut off in the middle', geminiFault.truncate(), 'PROVIDER_ERROR', 'billed'],
    ['JSON of another shape', { kind: 'answer', body: { hello: 'the world of bananas' } }, 'NO_IMAGE'],
    ['an empty image', geminiFault.emptyImage(), 'NO_IMAGE', 'billed'],
    ['data that is not an image', geminiFault.notAnImage(), 'NO_IMAGE', 'billed'],
    ['the first bytes of a PNG', geminiFault.image(png.subarray(0, 8)), 'NO_IMAGE', 'billed'],
    [
      'a GIF',
      geminiFault.image(Buffer.from('474946383961060004008000000000003b', 'hex')),
      'NO_IMAGE',
      'billed',
    ],
    [
      'an SVG',
      geminiFault.image(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="6" height="4"/>')),
      'NO_IMAGE',
      'billed',
    ],
    [
      'a 200 larger than the limit',
      geminiFault.textOnly('banana '.repeat(1_500_000)),
      'PROVIDER_ERROR',
      'billed',
    ],
    ['a thought of a blocked image', geminiFault.thoughtOnly(png, 'IMAGE_SAFETY'), 'CONTENT_BLOCKED'],
  ])('%s', async (what, step, reason, billed) => {
    stack.gemini.always(step);
    const failed = await generateOnce(stack, upstreams.server.url);
    const finishReason = {
      'a thought of a blocked image': 'IMAGE_SAFETY',
      'JSON of another shape': 'NO_CANDIDATE',
    }[what];
    await expectRefunded(stack, failed, {
      reason,
      inOutbox: false,
      billed: billed === 'billed',
      replied: finishReason !== undefined,
      ...(finishReason && { metadata: { finishReason } }),
    });
    expectNoVendorWords(step, failed);
  });

  it('a call that hangs and one that drips without end fail at the deadline', async () => {
    stack.gemini.script(geminiFault.hang(), geminiFault.drip(50));
    for (const failed of await Promise.all([
      generateOnce(stack, impatient.url),
      generateOnce(stack, impatient.url),
    ])) {
      await expectRefunded(stack, failed, { reason: 'PROVIDER_TIMEOUT', inOutbox: false, billed: true });
    }
  });
});

describe('says how long to wait if waiting helps', () => {
  it('passes on the RetryInfo of a 429 per minute', async () => {
    stack.gemini.always(geminiFault.perMinute(20));
    const { reply } = await generateOnce(stack, upstreams.server.url);
    expect(getDetail(reply, 'RetryInfo')).toMatchObject({ retryDelay: '20s' });
    expect(reply.headers.get('retry-after')).toBe('20');
  });

  it('names some seconds for a 503', async () => {
    stack.gemini.always(geminiFault.highDemand());
    const { reply } = await generateOnce(stack, upstreams.server.url);
    expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(getDetail(reply, 'RetryInfo').retryDelay).toBe(`${reply.headers.get('retry-after')}s`);
  });

  it.each([
    ['the daily quota', geminiFault.perDay()],
    ['a model without any quota', geminiFault.limitZero()],
  ])('ignores the one second in the RetryInfo of a 429 for %s', async (_, step) => {
    stack.gemini.always(step);
    const { reply } = await generateOnce(stack, upstreams.server.url);
    expect(reply.headers.get('retry-after')).not.toBe('1');
  });
});

describe('logs the cause of a failure', () => {
  it.each([
    ['a bad key', geminiFault.badKey(), 'API_KEY_INVALID'],
    ['403', geminiFault.forbidden(), '403 PERMISSION_DENIED'],
    ['500', geminiFault.internal(), '500 INTERNAL'],
    ['429', geminiFault.perDay(), '429 RESOURCE_EXHAUSTED'],
  ])('%s', async (_, step, cause) => {
    stack.gemini.always(step);
    expect((await generateOnce(stack, upstreams.server.url)).logged).toContain(cause);
  });
});

describe('derives the reason of a reply without an image from its finish reason', () => {
  const blocked = [
    'IMAGE_SAFETY',
    'IMAGE_PROHIBITED_CONTENT',
    'PROHIBITED_CONTENT',
    'IMAGE_RECITATION',
    'SAFETY',
    'RECITATION',
  ];
  const broken = ['NO_IMAGE', 'IMAGE_OTHER', 'MAX_TOKENS', 'MALFORMED_RESPONSE'];
  it.each<[string, UpstreamReason]>([
    ...blocked.map((finishReason): [string, UpstreamReason] => [finishReason, 'CONTENT_BLOCKED']),
    ...broken.map((finishReason): [string, UpstreamReason] => [finishReason, 'NO_IMAGE']),
  ])('%s is %s', async (finishReason, reason) => {
    const step = geminiFault.noImage(finishReason);
    stack.gemini.always(step);
    const failed = await generateOnce(stack, upstreams.server.url);
    await expectRefunded(stack, failed, {
      reason,
      metadata: { finishReason },
      inOutbox: false,
      replied: true,
    });
    expectNoVendorWords(step, failed);
  });

  it.each(['empty', 'null-parts', 'role-only'] as const)('reads the content in its %s form', async (form) => {
    stack.gemini.always(geminiFault.noImage('IMAGE_SAFETY', 'The model stopped.', form));
    const metadata = { finishReason: 'IMAGE_SAFETY' };
    await expectRefunded(stack, await generateOnce(stack, upstreams.server.url), {
      reason: 'CONTENT_BLOCKED',
      metadata,
      inOutbox: false,
      replied: true,
    });
  });

  it.each(['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'])(
    'a prompt blocked for %s is CONTENT_BLOCKED',
    async (finishReason) => {
      stack.gemini.always(geminiFault.promptBlocked(finishReason));
      const failed = await generateOnce(stack, upstreams.server.url);
      await expectRefunded(stack, failed, {
        reason: 'CONTENT_BLOCKED',
        metadata: { finishReason },
        inOutbox: false,
        replied: true,
      });
    },
  );

  it('shows a text that came in place of an image, and does not log it', async () => {
    const text = 'I would rather describe this banana.';
    stack.gemini.always(geminiFault.textOnly(text));
    const failed = await generateOnce(stack, upstreams.server.url);
    const metadata = { finishReason: 'STOP' };
    await expectRefunded(stack, failed, { reason: 'NO_IMAGE', metadata, inOutbox: false, replied: true });
    expect(failed.reply.body.error.message).toContain(text);
    expect(failed.logged).not.toContain(text);
  });

  it('cuts off a long text', async () => {
    stack.gemini.always(geminiFault.textOnly('banana '.repeat(1000)));
    expect((await generateOnce(stack, upstreams.server.url)).reply.body.error.message.length).toBeLessThan(
      400,
    );
  });
});

it('leaves no image in the store that is neither of a succeeded generation nor in the outbox', async () => {
  expect(stack.cloudinary.assets.size).toBeGreaterThan(0);
  expect(await strayImages(stack, stack.uids)).toEqual([]);
});
