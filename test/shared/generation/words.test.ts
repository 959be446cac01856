/** The words of a prompt, and those of a query. */
import { expect, it } from 'vitest';
import { toQueryWords, toWords } from '../../../shared/generation/words.ts';

const indexed = (prompt: string, originalPrompt?: string) => toWords({ prompt, originalPrompt });
const finds = (query: string, prompt: string) =>
  toQueryWords(query).every((word) => indexed(prompt).includes(word));

it.each<[string, string, string[]]>([
  ['case and punctuation', 'A Fox, a FOX: (fox)!', ['a', 'fox']],
  ['apostrophes and hyphens', "the cat's hand-made", ['the', 'cat', 's', 'hand', 'made']],
  ['digits', '35mm f/1.8', ['35mm', 'f', '1', '8']],
  ['full-width letters, ligatures and other forms of one letter', 'Ｆｏｘ ﬁsh Å', ['fox', 'fish', 'å']],
  ['a decomposed accent', 'cafe\u0301', ['café']],
  ['other alphabets', 'Кот и ΣΠΊΤΙ', ['кот', 'и', 'σπίτι']],
  ['vowel signs', 'हिन्दी', ['हिन्दी']],
  ['Korean, which has spaces', '고양이 한 마리', ['고양이', '한', '마리']],
  ['Chinese', '黑猫在', ['黑', '黑猫', '猫', '猫在', '在']],
  ['Japanese beside Latin letters', 'neonネオン', ['neon', 'ネ', 'ネオ', 'オ', 'オン', 'ン']],
  ['the long vowel of kana', 'カー', ['カ', 'カー', 'ー']],
  ['Thai', 'แมว', ['แ', 'แม', 'ม', 'มว', 'ว']],
  ['emoji', '\u{1f34c} banana', ['banana']],
  ['nothing', ' -- ', []],
])('reads %s', (_, prompt, expected) => {
  expect(indexed(prompt)).toEqual(expected);
});

it('reads the original prompt too, and each word once', () => {
  expect(indexed('A red fox', 'a fox at night')).toEqual(['a', 'red', 'fox', 'at', 'night']);
  expect(toWords({ prompt: null, originalPrompt: null })).toEqual([]);
});

it('keeps 400 words, and 30 characters of a word, in whole characters', () => {
  const many = Array.from({ length: 500 }, (_, i) => `w${i}`);
  expect(indexed(many.join(' '))).toEqual(many.slice(0, 400));
  const long = '\u{1d49c}b'.repeat(20).normalize('NFKC');
  expect(indexed(long)).toEqual([[...long.toLowerCase()].slice(0, 30).join('')]);
  expect(indexed('\u{10400}'.repeat(31))).toEqual(['\u{10428}'.repeat(30)]);
  expect(finds(`${'x'.repeat(31)}y`, `${'x'.repeat(31)}z`)).toBe(true);
});

it.each<[string, string, boolean]>([
  ['FOX red', 'A red fox', true],
  ['red wolf', 'A red fox', false],
  ['fo', 'A red fox', false],
  ['猫', '黑猫在屋顶上', true],
  ['屋顶上', '黑猫在屋顶上', true],
  ['猫黑', '黑猫在屋顶上', false],
  ['แมว', 'รูปแมวสีดำ', true],
  ['neon ネオン', 'ネオンの neon', true],
  ['', 'anything', true],
])('%j finds %j: %s', (query, prompt, expected) => {
  expect(finds(query, prompt)).toBe(expected);
});
