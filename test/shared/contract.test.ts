/** How requests are parsed, and in which words they are refused. */
import { describe, expect, it } from 'vitest';
import {
  countOf,
  generateRequestSchema,
  grantRequestSchema,
  groupDigits,
  pageQuerySchema,
  promptSchema,
  referenceSchema,
} from '../../shared/contract.ts';

/** The message of the first issue; undefined if the value is accepted. */
const refusal = (schema: typeof promptSchema | typeof pageQuerySchema, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message);

describe('a prompt', () => {
  it.each([
    ['a vertical tab', '\v'],
    ['a form feed', '\f'],
    ['a next line', '\u0085'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
  ])('has a line break in place of %s', (_, character) => {
    expect(promptSchema.parse(`A banana${character}on the moon${character}`)).toBe('A banana\non the moon\n');
    const grant = grantRequestSchema.parse({ uid: 'ann', amount: 1, reason: `Sorry${character}again` });
    expect(grant.reason).toBe('Sorry\nagain');
  });

  it('keeps tabs and its own line breaks', () => {
    expect(promptSchema.parse('A\tbanana\r\non\nthe moon')).toBe('A\tbanana\r\non\nthe moon');
  });

  it('is empty if it is line breaks only', () => {
    expect(refusal(promptSchema, '\u2028\v')).toEqual(['must not be empty']);
  });

  it('may not have any other control character', () => {
    const codes = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i)];
    const accepted = codes.filter((code) => !refusal(promptSchema, `A${String.fromCharCode(code)}b`));
    expect(accepted).toEqual([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x85]);
  });
});

describe('a number out of its range is refused with the range', () => {
  it.each(['', '0', '-1', '101', '1.5', 'ten', 'NaN', 'Infinity', '1e99'])('pageSize %j', (pageSize) => {
    expect(refusal(pageQuerySchema, { pageSize })).toEqual(['must be a whole number from 1 to 100']);
  });

  it.each([0, -1_000_000_001, 1_000_000_001, 1.5, 1e300, '5', null])('amount %j', (amount) => {
    const { error } = grantRequestSchema.safeParse({ uid: 'ann', amount, reason: 'Sorry' });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      'must be a whole number from -1,000,000,000 to 1,000,000,000, but not 0',
    ]);
  });
});

describe('a reference in another format is named', () => {
  it.each([
    ['image/heic', 'is a HEIC image. HEIC images are not supported: export it as JPEG'],
    ['image/heif', 'is a HEIC image. HEIC images are not supported: export it as JPEG'],
    ['image/avif', 'is an AVIF image. AVIF images are not supported: export it as JPEG'],
  ])('%s', (mimeType, description) => {
    const { error } = referenceSchema.safeParse({ mimeType, data: 'AAAA' });
    expect(error?.issues[0]?.message).toBe(description);
  });
});

it('writes counts as a person reads them', () => {
  expect([0, 1, 2, -1].map((count) => countOf(count, 'credit'))).toEqual([
    '0 credits',
    '1 credit',
    '2 credits',
    '-1 credit',
  ]);
  expect([7, 1_000, -1_000_000, 123_456_789].map(groupDigits)).toEqual([
    '7',
    '1,000',
    '-1,000,000',
    '123,456,789',
  ]);
});

it('echoes nothing of an image that is refused', () => {
  const data = Buffer.alloc(60, 7).toString('base64');
  const references = [{ mimeType: 'image/png', data: `${data}*` }, { mimeType: 'image/gif', data }, { data }];
  const { error } = generateRequestSchema.safeParse({ prompt: 'A', tier: 'standard', references });
  expect(error?.issues.map(({ path }) => path.join('.'))).toContain('references.0.data');
  expect(error?.issues.map(({ message }) => message).join()).not.toContain(data.slice(0, 20));
});
