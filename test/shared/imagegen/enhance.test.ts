import { describe, expect, it } from 'vitest';
import { cleanPrompt } from '../../../shared/imagegen/enhance.ts';

const prompt = 'A banana on the moon, in soft light';

describe('what a model puts around a prompt is taken off', () => {
  it.each([
    ['white space', `\n  ${prompt}\t\n`],
    ['quotation marks', `"${prompt}"`],
    ['single ones', `'${prompt}'`],
    ['curly ones', `“${prompt}”`],
    ['German ones', `„${prompt}“`],
    ['French ones', `« ${prompt} »`],
    ['backticks', `\`${prompt}\``],
    ['bold', `**${prompt}**`],
    ['bold in quotation marks', `"**${prompt}**"`],
    ['a fence', `\`\`\`\n${prompt}\n\`\`\``],
    ['a fence with a language', `\`\`\`text\n${prompt}\n\`\`\``],
    ['a preamble', `Here is the improved prompt: ${prompt}`],
    ['one in short', `Here's a better prompt:\n\n${prompt}`],
    ['one with a curly apostrophe', `Here’s your enhanced prompt: ${prompt}`],
    ['a polite one', `Sure! Here is the enhanced prompt:\n${prompt}`],
    ['a certain one', `Certainly, here's an improved version of your prompt:\n"${prompt}"`],
    ['one that ends its line', `Of course:\n${prompt}`],
    ['a title', `Enhanced prompt: ${prompt}`],
    ['a bold title', `**Enhanced prompt:** ${prompt}`],
    ['a preamble and a fence', `Here is the improved prompt:\n\`\`\`\n${prompt}\n\`\`\``],
    ['a NUL and an escape', `A banana\u0000 on the \u001bmoon, in soft light`],
  ])('%s', (_, text) => expect(cleanPrompt(text)).toBe(prompt));
});

describe('what belongs to the prompt is left', () => {
  it.each([
    'Here is a sign on a wall: "Bananas"',
    'Sure-footed goats on a cliff: three of them, at dusk',
    'Certainly the finest banana: yellow, curved',
    'New prompt book on a desk',
    'Here are two bananas: one green, one yellow',
    'Of course a banana, and a sign that reads: hello',
    '"Hello" says a banana to one named "Bob"',
    "'Tis the season' on a banner",
    '“Ja” steht auf einem Schild, „Nein“ auf dem anderen, beide „alt“',
    'A banana with the words "Eat me"',
    "The cooks' bananas'",
    'Eine Banane auf dem Mond: still, kühl, blau',
    '月の上のバナナ、柔らかな光',
    'موزة على القمر',
    '🍌 on the 🌕, 👩‍🚀 watching',
    'Line one\nLine two\n\tindented',
    '2 ** 3 ** 2 on a blackboard',
  ])('%s', (text) => expect(cleanPrompt(text)).toBe(text));
});

it('it is as long as a prompt may be at most, and no character is cut in two', () => {
  expect(cleanPrompt('🍌'.repeat(5_000))).toBe('🍌'.repeat(4_000));
  expect(cleanPrompt(` ${'x'.repeat(4_001)}`)).toBe('x'.repeat(4_000));
});

it('it is well-formed and composed, as a prompt must be', () => {
  expect(cleanPrompt('cafe\u0301')).toBe('caf\u00e9');
  expect(cleanPrompt('A \ud83c banana').isWellFormed()).toBe(true);
});

it.each(['', '  \n', '""', '```\n\n```', '**'])('nothing at all (%j) stays nothing', (text) => {
  expect(cleanPrompt(text)).toMatch(/^\W{0,2}$/);
});

it('a hundred thousand characters take no time', () => {
  for (const piece of ['"', '*', '`', 'Sure ', 'Here is ', '```\n', ' \n']) {
    const startedAt = performance.now();
    cleanPrompt(piece.repeat(100_000));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  }
});
