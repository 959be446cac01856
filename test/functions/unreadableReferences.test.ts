/** A broken reference is the request's fault: it is refused before the debit, or refunded if only the model finds out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBlankPicture } from '../../local/fakes/blankPicture.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { onePixelPng } from '../support/pictures.ts';
import { getRefusal, type Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

const mimeTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
const inline = (bytes: Buffer, mimeType = 'image/png') => ({ mimeType, data: bytes.toString('base64') });
const errorInfo = ({ body }: Reply) => body.error.details[0];

let stack: Stack;
let users = 0;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());

const newUser = () => stack.user(`user-${++users}`, 10);

async function expectNothingBegun(user: Awaited<ReturnType<typeof newUser>>) {
  const id = hashGenerationId(user.uid, 'key');
  expect(await stack.document(`accounts/${user.uid}/generations/${id}`)).toBeUndefined();
  expect((await stack.ledger(user.uid)).entries.some(({ type }) => type === 'debit')).toBe(false);
}

describe('a reference that is cut off', () => {
  it.each(mimeTypes)('is refused before any debit: %s', async (mimeType) => {
    const bytes = await createBlankPicture({ width: 600, height: 400, mimeType });
    for (const length of [Math.ceil(bytes.length / 2), bytes.length - 1]) {
      const user = await newUser();
      const before = stack.gemini.requests.length;
      const references = [inline(onePixelPng), inline(bytes.subarray(0, length), mimeType)];
      const answer = await user.generate('key', { references });
      expect(getRefusal(answer)).toEqual([422, 'REFERENCE_UNREADABLE']);
      expect(errorInfo(answer).metadata).toEqual({ index: '1', retry: 'no' });
      expect(answer.body).not.toHaveProperty('receipt');
      expect(stack.gemini.requests).toHaveLength(before);
      await expectNothingBegun(user);
      const whole = [inline(onePixelPng), inline(bytes, mimeType)];
      expect((await user.generate('key', { references: whole })).status).toBe(200);
    }
  });

  it('of 10 MB in tiny segments is refused soon', async () => {
    const user = await newUser();
    const segments = Buffer.concat([
      Buffer.from('ffd8ffc0000b080010001001011100', 'hex'),
      Buffer.alloc(10_000_000, 'ffe00002', 'hex'),
    ]);
    const startedAt = performance.now();
    const answer = await user.generate('key', { references: [inline(segments, 'image/jpeg')] });
    expect(getRefusal(answer)).toEqual([422, 'REFERENCE_UNREADABLE']);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await expectNothingBegun(user);
  });
});

describe('a reference that the model cannot read', () => {
  it('is refunded, and the model is not blamed', async () => {
    const user = await newUser();
    const before = stack.gemini.requests.length;
    stack.gemini.script(geminiFault.badReference());
    const references = [inline(onePixelPng)];
    const answer = await user.generate('key', { references });
    expect(getRefusal(answer)).toEqual([422, 'REFERENCE_UNREADABLE']);
    expect(errorInfo(answer).metadata).toMatchObject({ index: '0', retry: 'no' });
    expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
    expect(stack.gemini.requests).toHaveLength(before + 1);
    const { entries, generations } = await stack.ledger(user.uid);
    expect(entries.at(-1)).toMatchObject({ type: 'refund', reason: 'REFERENCE_UNREADABLE' });
    expect(generations).toMatchObject([{ status: 'refunded', providerCostMicros: 0 }]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);

    const replay = await user.generate('key', { references });
    expect(replay.headers.get('idempotent-replayed')).toBe('true');
    expect(replay.body).toEqual(answer.body);
  });
});

describe('a HEIC image is named, with what to do', () => {
  it.each([
    ['in its bytes', inline(heic), 'references.0.data'],
    ['in its declared type', inline(heic, 'image/heic'), 'references.0'],
    ['as HEIF', inline(heic, 'image/heif'), 'references.0'],
  ])('%s', async (_, reference, field) => {
    const user = await newUser();
    const answer = await user.generate('key', { references: [reference] });
    expect(getRefusal(answer)).toEqual([400, 'INVALID_REQUEST']);
    const [violation] = answer.body.error.details[1].fieldViolations;
    expect(violation.field).toBe(field);
    expect(violation.description).toMatch(/HEIC.*export it as JPEG/);
    expect(answer.body.error.message).toMatch(/HEIC images are not supported/);
    await expectNothingBegun(user);
  });
});

it.each([
  ['in its bytes', 'image/png', 'references.0.data'],
  ['in its declared type', 'image/avif', 'references.0'],
])('an AVIF image is named %s, with what to do', async (_, mimeType, field) => {
  const user = await newUser();
  const avif = Buffer.from('\0\0\0\x20ftypavif\0\0\0\0avifmif1', 'latin1');
  const answer = await user.generate('key', { references: [inline(avif, mimeType)] });
  const [violation] = answer.body.error.details[1].fieldViolations;
  expect(violation).toEqual({
    field,
    description: 'is an AVIF image. AVIF images are not supported: export it as JPEG',
  });
  await expectNothingBegun(user);
});
