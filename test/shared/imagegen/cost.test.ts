/** What Google bills for a reply, by the tokens that it reports. */
import { describe, expect, it } from 'vitest';
import {
  getImageCostMicros,
  getTextCostMicros,
  getTokenCostMicros,
  type Usage,
} from '../../../shared/imagegen/cost.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';

const million = 1_000_000;
const imageTokens = (tokenCount: number) => [{ modality: 'IMAGE', tokenCount }];

describe.each([
  ['gemini-2.5-flash-image', 0.3, 2.5, 30],
  ['gemini-nano-banana-2.1', 1.5, 7.5, 30],
  ['gemini-3.1-flash-lite-image', 0.25, 1.5, 30],
  ['gemini-3.1-flash-image', 0.5, 3, 60],
  ['gemini-3-pro-image', 2, 12, 120],
])('a million tokens of %s cost', (id, input, text, image) => {
  const { tokenMicros } = imageModel(id);
  it.each<[string, Usage, number]>([
    [`$${input} in the request`, { promptTokenCount: million }, input],
    [`$${text} as text`, { candidatesTokenCount: million }, text],
    [`$${text} as thinking`, { thoughtsTokenCount: million }, text],
    [
      `$${image} as an image`,
      { candidatesTokenCount: million, candidatesTokensDetails: imageTokens(million) },
      image,
    ],
  ])('%s', (_, usage, dollars) => expect(getTokenCostMicros(usage, tokenMicros)).toBe(dollars * million));
});

it('a reply without an image costs all of its tokens, rounded up', () => {
  const usage = {
    promptTokenCount: 5,
    candidatesTokenCount: 1_300,
    candidatesTokensDetails: imageTokens(1_290),
    thoughtsTokenCount: 101,
  };
  const micros = 5 * 0.3 + 10 * 2.5 + 1_290 * 30 + 101 * 2.5;
  expect(getTokenCostMicros(usage, imageModel('gemini-2.5-flash-image').tokenMicros)).toBe(Math.ceil(micros));
});

it('a success costs the catalogue price of its image, and its thinking', () => {
  const model = imageModel('gemini-nano-banana-2.1');
  const usage = { promptTokenCount: 2_000, candidatesTokenCount: 1_120, thoughtsTokenCount: 220 };
  expect(getImageCostMicros(usage, model, '1K')).toBe(33_600 + 220 * 7.5);
  expect(getImageCostMicros(undefined, model, '1K')).toBe(33_600);
});

it('a success costs the tokens of its reference images too', () => {
  const usage = {
    promptTokenCount: 10 + 14 * 560,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }, ...imageTokens(14 * 560)],
    candidatesTokenCount: 1_120,
    candidatesTokensDetails: imageTokens(1_120),
    thoughtsTokenCount: 220,
  };
  const model = imageModel('gemini-nano-banana-2.1');
  expect(getImageCostMicros(usage, model, '1K')).toBe(33_600 + 14 * 560 * 1.5 + 220 * 7.5);
});

it("an unknown model's image tokens cost what its images cost", () => {
  const usage = { candidatesTokenCount: 1_120, candidatesTokensDetails: imageTokens(1_120) };
  expect(getTokenCostMicros(usage, imageModel('another', { '1K': 50_000 }).tokenMicros)).toBe(50_000);
});

describe('a text model', () => {
  it.each([
    ['gemini-3.5-flash-lite', 300_000, 2_500_000],
    ['gemini-3.1-flash-lite', 250_000, 1_500_000],
    ['one that we do not know', 300_000, 2_500_000],
    ['toString', 300_000, 2_500_000],
  ])('%s costs its own price, and thinking counts as text', (id, input, text) => {
    expect(getTextCostMicros({ promptTokenCount: million }, id)).toBe(input);
    expect(getTextCostMicros({ candidatesTokenCount: million }, id)).toBe(text);
    expect(getTextCostMicros({ thoughtsTokenCount: million }, id)).toBe(text);
  });
});

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['text as numbers', { promptTokenCount: '7', candidatesTokenCount: 'many' }],
  ['negative numbers', { promptTokenCount: -7, thoughtsTokenCount: Number.NaN }],
  ['details that are no list', { candidatesTokensDetails: 'IMAGE' }],
])('a usage of %s costs nothing', (_, usage) => {
  expect(getTokenCostMicros(usage as Usage, imageModel('gemini-3-pro-image').tokenMicros)).toBe(0);
});
