/** A better prompt is a help: it is never an error, never late, and never costs a second time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { onePixelPng } from '../support/pictures.ts';
import { type Stack, startStack } from '../support/stack.ts';

const prompt = 'A banana on the moon';
const [imageGenerator, writer] = ['gemini-2.5-flash-image', 'gemini-3.5-flash-lite'];
const image: GeminiStep = { ...geminiFault.image(onePixelPng), model: imageGenerator };

let stack: Stack;
let gemini: FakeGemini;
let url: string;
let users = 0;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
  await stack.close();
});
beforeEach(async () => {
  gemini = await startFakeGemini({ apiKey: 'test-gemini-key' });
  url = await startServer({ PROMPT_TIMEOUT_MS: '20000' });
  ends.push(gemini.close);
});

async function startServer(env: Record<string, string>): Promise<string> {
  const database = { ...stack.database, close: async () => {} };
  const server = await stack.startServer({ GOOGLE_GEMINI_BASE_URL: gemini.url, ...env }, { database });
  ends.unshift(server.close);
  return server.url;
}

const newUser = (credits = 10) => stack.user(`user-${++users}`, credits);
const writes = (text: string): GeminiStep => ({ ...geminiFault.textOnly(text), model: writer });
/** What a model was asked, in the order of asking. */
const askedOf = (model: string) =>
  gemini.requests
    .filter((request) => request.model === model)
    .map(({ body }) => (body as { contents: { parts: { text: string }[] }[] }).contents[0]?.parts[0]?.text);
const generationOf = async (uid: string) => (await stack.ledger(uid)).generations[0] as unknown as object;

/** Everything that a writer can do instead of writing, with the server's patience with it. */
const failures: [string, GeminiStep, env?: Record<string, string>][] = [
  ['is late', geminiFault.hang(), { PROMPT_TIMEOUT_MS: '50' }],
  ['drips without end', geminiFault.drip(10), { PROMPT_TIMEOUT_MS: '50' }],
  ['fails', geminiFault.internal()],
  ['is overloaded', geminiFault.highDemand()],
  ['is used up for the minute', geminiFault.perMinute(1)],
  ['is used up for the day', geminiFault.perDay(writer)],
  ['has no billing', geminiFault.prepaymentDepleted()],
  ['is not there', geminiFault.notFound(writer)],
  ['does not take the key', geminiFault.badKey()],
  ['breaks off', geminiFault.reset()],
  ['breaks off in the middle', geminiFault.truncate()],
  ['answers nothing', geminiFault.emptyBody()],
  ['answers a page', geminiFault.html(200)],
  ['blocks the prompt', geminiFault.promptBlocked('SAFETY')],
  ['stops for safety', geminiFault.noImage('SAFETY')],
  ['writes nothing', geminiFault.textOnly('')],
  ['writes only space', geminiFault.textOnly(' \n ')],
  ['writes the same', geminiFault.textOnly(prompt)],
  ['writes the same in quotation marks', geminiFault.textOnly(`"${prompt}"`)],
  ['answers with an image', geminiFault.image(onePixelPng)],
  ['answers what nobody expects', { kind: 'answer', body: { candidates: 'bananas' } }],
];

describe('enhance', () => {
  it('gives a better prompt, for no credits, to whoever is signed in', async () => {
    const user = await newUser(0);
    const { status, body } = await user.post('enhance', { prompt }, {}, url);
    expect(status).toBe(200);
    expect(body).toEqual({ prompt: expect.stringMatching(`^${prompt}, in soft`), enhanced: true });
    expect(await stack.ledger(user.uid)).toEqual({ account: { balance: 0 }, entries: [], generations: [] });
  });

  it('asks a text model of today, with the prompt as material and the orders apart', async () => {
    await (await newUser()).post('enhance', { prompt }, {}, url);
    const [request] = gemini.requests as [(typeof gemini.requests)[number]];
    expect(request).toMatchObject({ model: writer, version: 'v1beta' });
    expect(request.headers).not.toHaveProperty('x-server-timeout');
    expect(askedOf(writer)).toEqual([prompt]);
    const { systemInstruction } = request.body as { systemInstruction: object };
    expect(JSON.stringify(systemInstruction)).toMatch(/language/);
  });

  it('asks the model that is configured', async () => {
    const other = await startServer({ PROMPT_MODEL_ID: 'gemini-2.5-flash' });
    expect((await (await newUser()).post('enhance', { prompt }, {}, other)).body.enhanced).toBe(true);
    expect(gemini.requests.map(({ model }) => model)).toEqual(['gemini-2.5-flash']);
  });

  it('takes off what a model puts around it', async () => {
    gemini.script(writes('Here is the improved prompt:\n"A ripe banana on the moon"'));
    const { body } = await (await newUser()).post('enhance', { prompt }, {}, url);
    expect(body).toEqual({ prompt: 'A ripe banana on the moon', enhanced: true });
  });

  it('skips what the model only thought', async () => {
    const parts = [{ text: 'Let me think.', thought: true }, { text: 'A ripe ' }, { text: 'banana' }];
    gemini.script({ kind: 'answer', body: { candidates: [{ content: { role: 'model', parts } }] } });
    const { body } = await (await newUser()).post('enhance', { prompt }, {}, url);
    expect(body).toEqual({ prompt: 'A ripe banana', enhanced: true });
  });

  it('gives no more than a prompt may have, so that it can be painted', async () => {
    gemini.script(writes('🍌'.repeat(5_000)), image);
    const user = await newUser();
    const { body } = await user.post('enhance', { prompt }, {}, url);
    expect([...body.prompt]).toHaveLength(4_000);
    expect((await user.generate('key', { prompt: body.prompt }, url)).status).toBe(200);
  });

  it.each(failures)('gives the same prompt back where the model %s', async (_, step, env) => {
    const server = env ? await startServer(env) : url;
    gemini.always(step);
    const { status, body } = await (await newUser()).post('enhance', { prompt }, {}, server);
    expect([status, body]).toEqual([200, { prompt, enhanced: false }]);
    expect(askedOf(writer)).toHaveLength(1);
  });

  it('space around a prompt is nothing that a model has bettered', async () => {
    gemini.script(writes(prompt));
    const { body } = await (await newUser()).post('enhance', { prompt: ` ${prompt}\n` }, {}, url);
    expect(body).toEqual({ prompt: ` ${prompt}\n`, enhanced: false });
  });

  it('logs neither prompt', async () => {
    const before = stack.logs.length;
    gemini.script(writes('A very secret banana'), { ...geminiFault.internal(), model: writer });
    const user = await newUser();
    for (let i = 0; i < 2; i += 1) await user.post('enhance', { prompt }, {}, url);
    expect(JSON.stringify(stack.logs.slice(before))).not.toMatch(/banana/);
  });
});

describe('generate with enhance', () => {
  it('paints the better prompt, keeps both, and charges once', async () => {
    gemini.script(image);
    const user = await newUser();
    const { status, body } = await user.generate('key', { prompt, enhance: true, tier: 'premium2' }, url);
    expect(status).toBe(200);
    const { enhancedPrompt } = body.generation;
    expect(body.generation).toMatchObject({
      prompt,
      enhancedPrompt: expect.stringMatching(`^${prompt}, in`),
    });
    expect(body.receipt).toEqual({ charged: 2, refunded: 0, balance: 8, sequence: 2 });
    expect([askedOf(writer), askedOf(imageGenerator)]).toEqual([[prompt], [enhancedPrompt]]);

    const shown = await user.get('generation?key=key', url);
    expect(shown.body.generation).toEqual(body.generation);
    const again = await user.generate('key', { prompt, enhance: true, tier: 'premium2' }, url);
    expect([again.headers.get('idempotent-replayed'), again.body]).toEqual(['true', body]);
    expect(gemini.requests).toHaveLength(2);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('is another request than one without', async () => {
    gemini.script(image);
    const user = await newUser();
    await user.generate('key', { prompt }, url);
    expect(askedOf(writer)).toEqual([]);
    const other = await user.generate('key', { prompt, enhance: true }, url);
    expect([other.status, other.body.error.details[0].reason]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('costs what both models bill', async () => {
    gemini.script(image);
    const user = await newUser();
    const { enhancedPrompt } = (await user.generate('key', { prompt, enhance: true }, url)).body.generation;
    // The fake counts a token for four characters: 0.30 dollars a million in, 2.50 out.
    const tokens = [prompt, enhancedPrompt].map((text: string) => Math.ceil(text.length / 4)) as [
      number,
      number,
    ];
    const writing = Math.ceil(tokens[0] * 0.3 + tokens[1] * 2.5);
    expect(writing).toBeGreaterThan(1);
    expect(await generationOf(user.uid)).toMatchObject({ providerCostMicros: 39_000 + writing });

    gemini.script({ ...geminiFault.noImage('IMAGE_SAFETY'), model: imageGenerator });
    const unlucky = await newUser();
    expect((await unlucky.generate('key', { prompt, enhance: true }, url)).status).toBe(422);
    expect(await generationOf(unlucky.uid)).toMatchObject({
      status: 'refunded',
      // The blocked image's prompt is billed too.
      providerCostMicros: writing + Math.ceil(tokens[1] * 0.3),
    });
  });

  it.each(failures)('goes on with the original where the model %s', async (_, step, env) => {
    const server = env ? await startServer(env) : url;
    gemini.script({ ...step, model: writer }, image);
    const user = await newUser();
    const { status, body } = await user.generate('key', { prompt, enhance: true }, server);
    expect([status, body.generation?.enhancedPrompt]).toEqual([200, null]);
    expect(body.generation.prompt).toBe(prompt);
    expect([askedOf(writer), askedOf(imageGenerator)]).toEqual([[prompt], [prompt]]);
    expect(body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    expect(await stack.document(`quota/${writer}`)).toBeUndefined();
  });

  it('asks nobody for a better prompt before the debit', async () => {
    const user = await newUser(0);
    expect((await user.generate('key', { prompt, enhance: true }, url)).status).toBe(402);
    expect(gemini.requests).toEqual([]);
  });
});
