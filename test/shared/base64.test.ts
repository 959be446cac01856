/** The base64 of an image in a request: the same texts as the grammar of RFC 4648 with padding, whatever their length. */
import { expect, it } from 'vitest';
import { referenceSchema } from '../../shared/contract.ts';
import { fc } from '../support/properties.ts';

const isAccepted = (data: string) => referenceSchema.safeParse({ mimeType: 'image/png', data }).success;
const matchesGrammar = (data: string) => data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data);

it('is accepted exactly if it matches the grammar', () => {
  const letters = fc.constantFrom(
    ...'AZaz09+/',
    ...'AZaz09+/',
    '=',
    '-',
    '_',
    ' ',
    '\n',
    '\0',
    'é',
    'Ł',
    '🍌',
  );
  const text = fc.oneof(
    fc.string({ unit: letters, maxLength: 16 }),
    fc.base64String({ maxLength: 40 }),
    fc
      .tuple(fc.base64String({ maxLength: 16 }), letters, fc.base64String({ maxLength: 16 }))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (data) => {
      expect(isAccepted(data)).toBe(matchesGrammar(data));
    }),
    { numRuns: 5_000, examples: [['AAA=AAAA'], ['AA==AAAA']] },
  );
});

it('is checked to its last letter, over megabytes', () => {
  const data = 'QUJD'.repeat(750_001);
  expect(isAccepted(data)).toBe(true);
  expect(isAccepted(`${data}QR==`)).toBe(true);
  for (const at of [0, 999_999, 1_000_000, 1_999_999, 2_000_000, data.length - 5, data.length - 1]) {
    for (const wrong of ['-', '=', ' ', 'Ł']) {
      const isPadding = wrong === '=' && at === data.length - 1;
      expect(isAccepted(data.slice(0, at) + wrong + data.slice(at + 1)), `${wrong} at ${at}`).toBe(isPadding);
    }
  }
});
