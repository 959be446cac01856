import { describe, expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import { cleanPrompt, createEnhancer } from '../../../shared/prompts/enhance.ts';

const prompt = 'A banana on the moon, in soft light';

describe('removes what a model puts around a prompt', () => {
  it.each([
    ['white space', `\n  ${prompt}\t\n`],
    ['quotation marks', `"${prompt}"`],
    ['single quotation marks', `'${prompt}'`],
    ['curly quotation marks', `“${prompt}”`],
    ['German quotation marks', `„${prompt}“`],
    ['French quotation marks', `« ${prompt} »`],
    ['backticks', `\`${prompt}\``],
    ['bold', `**${prompt}**`],
    ['bold in quotation marks', `"**${prompt}**"`],
    ['a fence', `\`\`\`\n${prompt}\n\`\`\``],
    ['a fence with a language', `\`\`\`text\n${prompt}\n\`\`\``],
    ['an introduction', `Here is the improved prompt: ${prompt}`],
    ['a short introduction', `Here's a better prompt:\n\n${prompt}`],
    ['an introduction with a curly apostrophe', `Here’s your enhanced prompt: ${prompt}`],
    ['a polite introduction', `Sure! Here is the enhanced prompt:\n${prompt}`],
    ['an introduction with Certainly', `Certainly, here's an improved version of your prompt:\n"${prompt}"`],
    ['an introduction on its own line', `Of course:\n${prompt}`],
    ['a title', `Enhanced prompt: ${prompt}`],
    ['a bold title', `**Enhanced prompt:** ${prompt}`],
    ['an introduction and a fence', `Here is the improved prompt:\n\`\`\`\n${prompt}\n\`\`\``],
    ['a NUL and an escape', `A banana\u0000 on the \u001bmoon, in soft light`],
  ])('%s', (_, text) => expect(cleanPrompt(text)).toBe(prompt));
});

describe('keeps what belongs to the prompt', () => {
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

it('cuts a prompt to its greatest length, and never within a character', () => {
  expect(cleanPrompt('🍌'.repeat(5_000))).toBe('🍌'.repeat(4_000));
  expect(cleanPrompt(` ${'x'.repeat(4_001)}`)).toBe('x'.repeat(4_000));
});

it('makes a prompt well-formed and composed (NFC)', () => {
  expect(cleanPrompt('cafe\u0301')).toBe('caf\u00e9');
  expect(cleanPrompt('A \ud83c banana').isWellFormed()).toBe(true);
});

it.each(['', '  \n', '""', '```\n\n```', '**'])('returns no letters for %j', (text) => {
  expect(cleanPrompt(text)).toMatch(/^\W{0,2}$/);
});

it('handles a hundred thousand characters within 2 s', () => {
  for (const piece of ['"', '*', '`', 'Sure ', 'Here is ', '```\n', ' \n']) {
    const startedAt = performance.now();
    cleanPrompt(piece.repeat(100_000));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  }
});

it.each([
  { millisecondsLeft: 60_000, milliseconds: 5_000 },
  { millisecondsLeft: 1_200, milliseconds: 1_200 },
])('gives the text model $milliseconds ms if $millisecondsLeft ms are left of 5 s', async (limits) => {
  const calls: number[] = [];
  const write = async (_model: string, _instruction: string, text: string, milliseconds: number) => {
    calls.push(milliseconds);
    return { text: `${text}, at dusk`, providerCostMicros: 1 };
  };
  const settings = { modelId: 'text-model', timeoutMs: 5_000 };
  const enhance = createEnhancer(
    async () => ({ write }),
    settings,
    createLog(() => {}),
  );
  const enhanced = await enhance(prompt, limits.millisecondsLeft);
  expect(enhanced.prompt).toBe(`${prompt}, at dusk`);
  expect(calls).toEqual([limits.milliseconds]);
});
