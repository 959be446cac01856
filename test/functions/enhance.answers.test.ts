/** A text model that does not improve a prompt: the image model gets the user's own prompt. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { type Stack, startStack } from '../support/stack.ts';

const prompt = 'A banana on the moon';
const [imageGenerator, writer] = ['gemini-2.5-flash-image', 'gemini-3.5-flash-lite'];

let stack: Stack;
let users = 0;
beforeAll(async () => {
  stack = await startStack({ PROMPT_TIMEOUT_MS: '20000' });
});
afterAll(() => stack.close());
afterEach(() => {
  stack.gemini.requests.length = 0;
});

const newUser = () => stack.user(`user-${++users}`, 10);
const promptsSentTo = (model: string) =>
  stack.gemini.requests
    .filter((request) => request.model === model)
    .map(({ body }) => (body as { contents: { parts: { text: string }[] }[] }).contents[0]?.parts[0]?.text);

const answers = Object.entries(geminiFault.uselessPrompts).map(([name, toStep]) => {
  const step: GeminiStep = { ...toStep(), model: writer };
  return { name, step };
});

describe.each(answers)('the text model answers with $name', ({ step }) => {
  it('enhance returns the same prompt', async () => {
    stack.gemini.script(step);
    const { status, body } = await (await newUser()).post('enhance', { prompt });
    expect([status, body]).toEqual([200, { prompt, enhanced: false }]);
    expect(promptsSentTo(writer)).toEqual([prompt]);
  });

  it("generate sends the image model the user's own prompt", async () => {
    stack.gemini.script(step, { ...geminiFault.blank(), model: imageGenerator });
    const { status, body } = await (await newUser()).generate('key', { prompt, enhance: true });
    expect([status, body.generation?.enhancedPrompt]).toEqual([200, null]);
    expect([promptsSentTo(writer), promptsSentTo(imageGenerator)]).toEqual([[prompt], [prompt]]);
  });
});

it('asks for JSON by a schema, with the least thinking, and with room for the longest prompt', async () => {
  await (await newUser()).post('enhance', { prompt });
  const [request] = stack.gemini.requests;
  expect(request?.body).toHaveProperty('generationConfig', {
    responseMimeType: 'application/json',
    responseSchema: {
      type: 'OBJECT',
      properties: { prompt: { type: 'STRING' }, ok: { type: 'BOOLEAN' } },
      required: ['prompt', 'ok'],
      propertyOrdering: ['prompt', 'ok'],
    },
    maxOutputTokens: 1_500,
    thinkingConfig: { thinkingLevel: 'MINIMAL' },
  });
});
