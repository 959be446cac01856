import { describe, expect, it } from 'vitest';
import { promptCharactersMax } from '../../../shared/contract.ts';
import { createLog } from '../../../shared/core/log.ts';
import type { TextRequest } from '../../../shared/imagegen/gemini.ts';
import { createEnhancer, parseAnswer } from '../../../shared/prompts/enhance.ts';

const prompt = 'A banana on the moon, in soft light';
const toJson = (value: unknown) => ({ text: JSON.stringify(value), finishReason: 'STOP' });
const good = { prompt, ok: true };

describe('takes the prompt of an answer', () => {
  it.each([
    prompt,
    'Here is a sign on a wall: "Bananas"',
    '"Hello" says a banana to one named "Bob"',
    "I'm sorry, says a banana to its peel",
    'Line one\nLine two\n\tindented',
    '月の上のバナナ、柔らかな光',
    '🍌'.repeat(promptCharactersMax),
  ])('unchanged: %.40s', (text) => expect(parseAnswer(toJson({ prompt: text, ok: true }))).toBe(text));

  it('without the space around it, and composed (NFC)', () => {
    expect(parseAnswer(toJson({ prompt: ' cafe\u0301\n', ok: true }))).toBe('caf\u00e9');
  });
});

describe('takes no prompt', () => {
  it.each<[string, { text: string; finishReason: string | undefined }]>([
    ['of an answer cut off by its length', { ...toJson(good), finishReason: 'MAX_TOKENS' }],
    ['of an answer stopped for safety', { ...toJson(good), finishReason: 'SAFETY' }],
    ['of an answer without a finish reason', { ...toJson(good), finishReason: undefined }],
    ['of half an object', { text: '{"prompt": "A banana on', finishReason: 'STOP' }],
    [
      'of a refusal in plain text',
      { text: "I'm sorry, but I can't assist with that.", finishReason: 'STOP' },
    ],
    [
      'of an answer in a code fence',
      { text: `\`\`\`json\n${JSON.stringify(good)}\n\`\`\``, finishReason: 'STOP' },
    ],
    ['of nothing', { text: '', finishReason: 'STOP' }],
    ['of null', toJson(null)],
    ['of a text', toJson(prompt)],
    ['of a list', toJson([good])],
    ['of a refusal by the schema', toJson({ prompt, ok: false })],
    ['with a text for the flag', toJson({ prompt, ok: 'true' })],
    ['without the flag', toJson({ prompt })],
    ['with a list for the prompt', toJson({ prompt: [prompt], ok: true })],
    ['with more fields', toJson({ ...good, question: 'Which style?' })],
    ['that is empty', toJson({ prompt: '', ok: true })],
    ['of space alone', toJson({ prompt: ' \n\t', ok: true })],
    ['of too many characters', toJson({ prompt: 'x'.repeat(promptCharactersMax + 1), ok: true })],
    ['with a NUL', toJson({ prompt: 'A banana\u0000', ok: true })],
    ['with half a surrogate pair', toJson({ prompt: 'A \ud83c banana', ok: true })],
  ])('%s', (_, answer) => expect(parseAnswer(answer)).toBeNull());
});

it.each([
  { millisecondsLeft: 60_000, milliseconds: 5_000 },
  { millisecondsLeft: 1_200, milliseconds: 1_200 },
])('gives the text model $milliseconds ms if $millisecondsLeft ms are left of 5 s', async (limits) => {
  const calls: number[] = [];
  const write = async (_model: string, request: TextRequest, milliseconds: number) => {
    calls.push(milliseconds);
    return { ...toJson({ prompt: `${request.prompt}, at dusk`, ok: true }), providerCostMicros: 1 };
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
