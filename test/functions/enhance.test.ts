/** Prompt enhancement never fails a call, never delays it past its limit, and is never charged. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { onePixelPng } from '../support/pictures.ts';
import { getRefusal } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

const prompt = 'A banana on the moon';
const [imageModel, textModel] = ['gemini-2.5-flash-image', 'gemini-3.5-flash-lite'];
const image: GeminiStep = { ...geminiFault.blank(), model: imageModel };

let stack: Stack;
let gemini: FakeGemini;
let url: string;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
  await stack.close();
});
beforeEach(async () => {
  gemini = await startFakeGemini({ apiKey: 'test-gemini-key' });
  url = await startServer({ PROMPT_TIMEOUT_MS: '20000' });
  closers.push(gemini.close);
});

async function startServer(env: Record<string, string>): Promise<string> {
  const database = { ...stack.database, close: async () => {} };
  const server = await stack.startServer({ GOOGLE_GEMINI_BASE_URL: gemini.url, ...env }, { database });
  closers.unshift(server.close);
  return server.url;
}

const answerWith = (text: string): GeminiStep => ({
  ...geminiFault.json({ prompt: text, ok: true }),
  model: textModel,
});
/** The prompts that a model received, in order. */
const getPrompts = (model: string) =>
  gemini.requests
    .filter((request) => request.model === model)
    .map(({ body }) => (body as { contents: { parts: { text: string }[] }[] }).contents[0]?.parts[0]?.text);
const getGeneration = async (uid: string) => (await stack.ledger(uid)).generations[0] as unknown as object;

/** Every way in which the text model fails, and the environment that makes a slow one fail soon. */
const failures: [string, GeminiStep, env?: Record<string, string>][] = [
  ['is late', geminiFault.hang(), { PROMPT_TIMEOUT_MS: '50' }],
  ['sends bytes slowly without end', geminiFault.drip(10), { PROMPT_TIMEOUT_MS: '50' }],
  ['fails', geminiFault.internal()],
  ['is overloaded', geminiFault.highDemand()],
  ['has reached its limit per minute', geminiFault.perMinute(1)],
  ['has reached its daily quota', geminiFault.perDay(textModel)],
  ['has no billing', geminiFault.prepaymentDepleted()],
  ['does not exist', geminiFault.notFound(textModel)],
  ['rejects the API key', geminiFault.badKey()],
  ['resets the connection', geminiFault.reset()],
  ['breaks off in the middle', geminiFault.truncate()],
  ['answers with an empty body', geminiFault.emptyBody()],
  ['answers with an HTML page', geminiFault.html(200)],
  ['blocks the prompt', geminiFault.promptBlocked('SAFETY')],
  ['stops for safety', geminiFault.noImage('SAFETY')],
  ['writes nothing', geminiFault.textOnly('')],
  ['writes only space', geminiFault.textOnly(' \n ')],
  ['writes the same', answerWith(prompt)],
  ['writes the same with space around it', answerWith(`\n${prompt} `)],
  ['answers with an image', geminiFault.image(onePixelPng)],
  ['answers with an unknown shape', { kind: 'answer', body: { candidates: 'bananas' } }],
];

describe('enhance', () => {
  it('improves a prompt for a signed-in user, without charging credits', async () => {
    const user = await stack.newUser(0);
    const { status, body } = await user.post('enhance', { prompt }, {}, url);
    expect(status).toBe(200);
    expect(body).toEqual({ prompt: expect.stringMatching(`^${prompt}, in soft`), enhanced: true });
    expect(await stack.ledger(user.uid)).toEqual({ account: { balance: 0 }, entries: [], generations: [] });
  });

  it('sends the prompt to the default text model as content, apart from the instructions', async () => {
    await (await stack.newUser()).post('enhance', { prompt }, {}, url);
    const [request] = gemini.requests as [(typeof gemini.requests)[number]];
    expect(request).toMatchObject({ model: textModel, version: 'v1beta' });
    expect(request.headers).not.toHaveProperty('x-server-timeout');
    expect(getPrompts(textModel)).toEqual([prompt]);
    const { systemInstruction } = request.body as { systemInstruction: object };
    expect(JSON.stringify(systemInstruction)).toMatch(/language/);
  });

  it('calls the configured model', async () => {
    const other = await startServer({ PROMPT_MODEL_ID: 'gemini-2.5-flash' });
    expect((await (await stack.newUser()).post('enhance', { prompt }, {}, other)).body.enhanced).toBe(true);
    expect(gemini.requests.map(({ model }) => model)).toEqual(['gemini-2.5-flash']);
  });

  it('skips what the model only thought', async () => {
    const json = ['{"prompt": "A ripe ', 'banana", "ok": true}'].map((text) => ({ text }));
    const parts = [{ text: 'Let me think.', thought: true }, ...json];
    const candidate = { content: { role: 'model', parts }, finishReason: 'STOP' };
    gemini.script({ kind: 'answer', body: { candidates: [candidate] } });
    const { body } = await (await stack.newUser()).post('enhance', { prompt }, {}, url);
    expect(body).toEqual({ prompt: 'A ripe banana', enhanced: true });
  });

  it('takes a prompt of the greatest length, which can then be painted', async () => {
    gemini.script(answerWith('🍌'.repeat(4_000)), image);
    const user = await stack.newUser();
    const { body } = await user.post('enhance', { prompt }, {}, url);
    expect(body).toEqual({ prompt: '🍌'.repeat(4_000), enhanced: true });
    expect((await user.generate('key', { prompt: body.prompt }, url)).status).toBe(200);
  });

  it.each(failures)('returns the same prompt if the model %s', async (_, step, env) => {
    const server = env ? await startServer(env) : url;
    gemini.always(step);
    const { status, body } = await (await stack.newUser()).post('enhance', { prompt }, {}, server);
    expect([status, body]).toEqual([200, { prompt, enhanced: false }]);
    expect(getPrompts(textModel)).toHaveLength(1);
  });

  it('does not count removed white space as an improvement', async () => {
    gemini.script(answerWith(prompt));
    const { body } = await (await stack.newUser()).post('enhance', { prompt: ` ${prompt}\n` }, {}, url);
    expect(body).toEqual({ prompt: ` ${prompt}\n`, enhanced: false });
  });

  it('logs neither prompt', async () => {
    const before = stack.logs.length;
    gemini.script(answerWith('A very secret banana'), { ...geminiFault.internal(), model: textModel });
    const user = await stack.newUser();
    for (let i = 0; i < 2; i += 1) await user.post('enhance', { prompt }, {}, url);
    expect(JSON.stringify(stack.logs.slice(before))).not.toMatch(/banana/);
  });
});

describe('generate with enhance', () => {
  it('generates from the improved prompt, stores both and charges once', async () => {
    gemini.script(image);
    const user = await stack.newUser();
    const { status, body } = await user.generate('key', { prompt, enhance: true, tier: 'premium2' }, url);
    expect(status).toBe(200);
    const { enhancedPrompt } = body.generation;
    expect(body.generation).toMatchObject({
      prompt,
      enhancedPrompt: expect.stringMatching(`^${prompt}, in`),
    });
    expect(body.receipt).toEqual({ charged: 2, refunded: 0, balance: 8, sequence: 2 });
    expect([getPrompts(textModel), getPrompts(imageModel)]).toEqual([[prompt], [enhancedPrompt]]);

    const shown = await user.get('generation?key=key', url);
    expect(shown.body.generation).toEqual(body.generation);
    const again = await user.generate('key', { prompt, enhance: true, tier: 'premium2' }, url);
    expect([again.headers.get('idempotent-replayed'), again.body]).toEqual(['true', body]);
    expect(gemini.requests).toHaveLength(2);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('is a different request from one without enhance', async () => {
    gemini.script(image);
    const user = await stack.newUser();
    await user.generate('key', { prompt }, url);
    expect(getPrompts(textModel)).toEqual([]);
    const other = await user.generate('key', { prompt, enhance: true }, url);
    expect(getRefusal(other)).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('records what both models bill', async () => {
    gemini.script(image);
    const user = await stack.newUser();
    const { enhancedPrompt } = (await user.generate('key', { prompt, enhance: true }, url)).body.generation;
    // The fake counts a token for four characters: 0.30 dollars a million in, 2.50 out.
    const answer = JSON.stringify({ prompt: enhancedPrompt, ok: true });
    const [tokensIn, tokensOut] = [prompt, answer].map((text) => Math.ceil(text.length / 4)) as [
      number,
      number,
    ];
    const textCost = Math.ceil(tokensIn * 0.3 + tokensOut * 2.5);
    expect(textCost).toBeGreaterThan(1);
    expect(await getGeneration(user.uid)).toMatchObject({ providerCostMicros: 39_000 + textCost });

    gemini.script({ ...geminiFault.noImage('IMAGE_SAFETY'), model: imageModel });
    const unlucky = await stack.newUser();
    expect((await unlucky.generate('key', { prompt, enhance: true }, url)).status).toBe(422);
    expect(await getGeneration(unlucky.uid)).toMatchObject({
      status: 'refunded',
      // The prompt of the blocked image is billed too.
      providerCostMicros: textCost + Math.ceil(Math.ceil(enhancedPrompt.length / 4) * 0.3),
    });
  });

  it.each(failures)('continues with the original prompt if the model %s', async (_, step, env) => {
    const server = env ? await startServer(env) : url;
    gemini.script({ ...step, model: textModel }, image);
    const user = await stack.newUser();
    const { status, body } = await user.generate('key', { prompt, enhance: true }, server);
    expect([status, body.generation?.enhancedPrompt]).toEqual([200, null]);
    expect(body.generation.prompt).toBe(prompt);
    expect([getPrompts(textModel), getPrompts(imageModel)]).toEqual([[prompt], [prompt]]);
    expect(body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    expect(await stack.document(`quota/${textModel}`)).toBeUndefined();
  });

  it('calls no model before the debit', async () => {
    const user = await stack.newUser(0);
    expect((await user.generate('key', { prompt, enhance: true }, url)).status).toBe(402);
    expect(gemini.requests).toEqual([]);
  });
});
