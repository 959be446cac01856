/** Replies of a model that are unusual but real: what the user gets, what is recorded, and what it costs. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { squarePng } from '../support/pictures.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second, third] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
] as const;
const image = geminiFault.blank();

let stack: Stack;
let gemini: FakeGemini;
let time: ReturnType<typeof virtualClock>;
const servers: { close: () => Promise<void> }[] = [];
let users = 0;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  time = virtualClock();
  gemini = await startFakeGemini({ apiKey: 'test-gemini-key' });
  gemini.always(image);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await gemini.close();
  await stack.database.commit(['all', first, second, third].map((id) => ({ delete: `quota/${id}` })));
});

async function startServer(env: Record<string, string> = {}): Promise<string> {
  const server = await stack.startServer(
    {
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      IMAGEGEN_FALLBACK_MODEL_IDS: `${second},${third}`,
      RETRY_ATTEMPTS: '3',
      ...env,
    },
    { clock: time.clock, database: { ...stack.database, close: async () => {} } },
  );
  servers.push(server);
  return server.url;
}

const alone = { IMAGEGEN_FALLBACK_MODEL_IDS: '' };
const at = (model: string, step: GeminiStep): GeminiStep => ({ ...step, model });
const called = () => gemini.requests.map(({ model }) => model);
const stateOf = (id: string) => stack.document(`quota/${id}`);

/** A generation by a new user: the answer, and its document. */
async function generate(url: string, body: object = {}) {
  const user = await stack.user(`user-${++users}`, 10);
  const reply = await user.generate('key', { ...body }, url);
  const { generations } = await stack.ledger(user.uid);
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  const document = generations[0] as unknown as Record<string, unknown> | undefined;
  return { user, reply, document, reason: reply.body.error?.details[0].reason };
}

describe('an image that is marked as a thought', () => {
  it('is delivered if it is the only one', async () => {
    gemini.script(geminiFault.thoughtOnly(squarePng));
    const { reply } = await generate(await startServer(alone));
    expect(reply.status).toBe(200);
    expect(reply.body.generation.image).toMatchObject({ width: 1024, height: 1024 });
  });

  it.each([
    ['IMAGE_SAFETY', 'CONTENT_BLOCKED'],
    ['MALFORMED_RESPONSE', 'NO_IMAGE'],
  ])('is not delivered if the model stopped for %s', async (finishReason, expected) => {
    gemini.script(geminiFault.thoughtOnly(squarePng, finishReason));
    expect((await generate(await startServer(alone))).reason).toBe(expected);
  });
});

describe('the tokens of a reply are billed', () => {
  const thinking = { usageMetadata: { thoughtsTokenCount: 1_000 } };

  it.each([
    [first, 39_000 + 1_000 * 2.5],
    [second, 33_600 + 1_000 * 7.5],
  ])('%s: thinking, beside the image', async (model, cost) => {
    gemini.script(geminiFault.drafts(1, thinking));
    const { document } = await generate(await startServer({ ...alone, IMAGEGEN_MODEL_ID: model }));
    expect(document).toMatchObject({ model, providerCostMicros: cost });
  });

  it('an image that was made and not delivered, then that of the next model', async () => {
    const step = geminiFault.noImage('NO_IMAGE');
    const usageMetadata = {
      promptTokenCount: 10,
      candidatesTokenCount: 1_290,
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1_290 }],
      thoughtsTokenCount: 100,
    };
    gemini.script({ ...at(first, step), metadata: { usageMetadata } } as GeminiStep);
    const { document } = await generate(await startServer());
    const failed = 10 * 0.3 + 1_290 * 30 + 100 * 2.5;
    expect(called()).toEqual([first, second]);
    expect(document).toMatchObject({ model: second, providerCostMicros: failed + 33_600 });
  });

  it('the thinking before a blocked image', async () => {
    const step = { ...geminiFault.noImage('IMAGE_SAFETY'), metadata: thinking } as GeminiStep;
    gemini.script(step);
    const { reason, document } = await generate(await startServer());
    expect(reason).toBe('CONTENT_BLOCKED');
    // The prompt has 5 tokens.
    expect(document).toMatchObject({ providerCostMicros: Math.ceil(5 * 0.3 + 1_000 * 2.5) });
  });
});

describe('the model that answered', () => {
  const answeredBy = (modelVersion: string) => geminiFault.drafts(0, { modelVersion });

  it('is recorded if it is not the one that was asked, and its price counts', async () => {
    gemini.script(answeredBy(second));
    const url = await startServer({ ...alone, CACHE_TTL_SECONDS: '60' });
    const { user, reply, document } = await generate(url);
    expect(reply.body.generation.model).toBe(first);
    expect(reply.body.generation).not.toHaveProperty('modelVersion');
    expect(document).toMatchObject({ model: first, modelVersion: second, providerCostMicros: 33_600 });
    expect((await user.generate('twin', {}, url)).body.generation.cached).toBe(true);
    const { generations } = await stack.ledger(user.uid);
    expect(generations.map((each) => (each as { modelVersion?: string }).modelVersion)).toEqual([
      second,
      second,
    ]);
  });

  it('has the price of the model that was asked if we do not know it', async () => {
    gemini.script(answeredBy('models/gemini-2.5-flash-image-002'));
    const { document } = await generate(await startServer(alone));
    expect(document).toMatchObject({
      modelVersion: 'gemini-2.5-flash-image-002',
      providerCostMicros: 39_000,
    });
  });

  it.each([first, `models/${first}`, ''])('is not recorded if it is %j', async (modelVersion) => {
    gemini.script(answeredBy(modelVersion));
    const { document } = await generate(await startServer(alone));
    expect(document).toMatchObject({ model: first, status: 'succeeded' });
    expect(document).not.toHaveProperty('modelVersion');
  });
});

it.each([
  ['cut within an emoji', `${'x'.repeat(299)}🍌 and more`, 'x'.repeat(299)],
  ['with half of an emoji', 'I cannot \ud83d draw.', 'I cannot  draw.'],
])(
  'a sentence of the model that is %s is answered and stored as well-formed Unicode',
  async (_, text, words) => {
    gemini.script(geminiFault.textOnly(text));
    const { reply, document } = await generate(await startServer(alone));
    const message = `The model answered without an image: ${words}`;
    expect(reply.body.error.message).toBe(message);
    expect(document).toMatchObject({ failure: { reason: 'NO_IMAGE', message } });
  },
);

describe('another model is called once', () => {
  it.each<[string, GeminiStep, string]>([
    ['403 of one model', geminiFault.modelForbidden(), 'PROVIDER_MISCONFIGURED'],
    ['400 of one model', { kind: 'reply', status: 400, body: {} }, 'PROVIDER_ERROR'],
    ['NO_IMAGE', geminiFault.noImage('NO_IMAGE'), 'NO_IMAGE'],
    ['IMAGE_OTHER', geminiFault.noImage('IMAGE_OTHER'), 'NO_IMAGE'],
    ['MALFORMED_RESPONSE', geminiFault.noImage('MALFORMED_RESPONSE'), 'NO_IMAGE'],
    ['a file that is not an image', geminiFault.notAnImage(), 'NO_IMAGE'],
    ['a reply without candidates', { kind: 'answer', body: {} }, 'NO_IMAGE'],
  ])('after %s, then the request fails with the failure', async (_, step, reason) => {
    gemini.script(at(first, step));
    const url = await startServer();
    expect((await generate(url)).reply.body.generation.model).toBe(second);
    gemini.always(step);
    expect((await generate(url)).reason).toBe(reason);
    expect(called()).toEqual([first, second, first, second]);
    for (const id of [first, second]) expect(await stateOf(id)).toBeUndefined();
  });
});

describe('a 200 that breaks off', () => {
  it.each<[string, GeminiStep]>([
    ['a reset after the headers', geminiFault.reset('after-headers')],
    ['half of the JSON', geminiFault.truncate()],
    ['an empty body', geminiFault.emptyBody()],
    ['a page', geminiFault.html(200)],
  ])('%s is worth one more call in all', async (_, step) => {
    const url = await startServer();
    gemini.script(step);
    expect((await generate(url)).reply.body.generation.model).toBe(first);
    gemini.always(step);
    const { reason, document } = await generate(url);
    expect([reason, document?.providerCostMicros]).toEqual(['PROVIDER_ERROR', 78_000]);
    expect(called()).toEqual([first, first, first, first]);
  });
});

describe('a long wait', () => {
  it.each<[string, GeminiStep, number]>([
    ['a limit per minute', geminiFault.perMinute(2), 2_000],
    ['a limit with a fraction of a second', geminiFault.retryIn('45.7s'), 45_700],
    ['Retry-After', { ...geminiFault.highDemand(), headers: { 'retry-after': '7' } } as GeminiStep, 7_000],
  ])('%s: the next model is called at once, or waited for if there is none', async (_, step, pauseMs) => {
    gemini.script(at(first, step));
    expect((await generate(await startServer())).reply.body.generation.model).toBe(second);
    expect(time.pauses).toEqual([]);
    gemini.script(at(first, step));
    expect((await generate(await startServer(alone))).reply.body.generation.model).toBe(first);
    expect(time.pauses).toEqual([pauseMs]);
  });
});

it('a silent model leaves half of the time to the next one, and is asked last for a minute', async () => {
  const url = await startServer({ GENERATE_TIMEOUT_MS: '4000' });
  gemini.script(at(first, geminiFault.hang()));
  const { reply, document } = await generate(url);
  expect(reply.body.generation.model).toBe(second);
  expect(document).toMatchObject({ providerCostMicros: 39_000 + 33_600 });
  expect((await generate(url)).reply.body.generation.model).toBe(second);
  expect((await generate(await startServer())).reply.body.generation.model).toBe(second);
  time.advance(60_000);
  expect((await generate(url)).reply.body.generation.model).toBe(first);
});
