/** `health` shows what its instance knows of the models and warns of fakes, without calling anything. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { getWarnings } from '../../shared/config/warnings.ts';
import { healthAnswerSchema } from '../../shared/contract.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second] = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1'] as const;
const time = virtualClock();
let stack: Stack;
let url: string;

beforeAll(async () => {
  stack = await startStack({ IMAGEGEN_FALLBACK_MODEL_IDS: second });
});
beforeEach(async () => {
  await stack.database.commit(['all', first, second].map((id) => ({ delete: `quota/${id}` })));
  stack.gemini.always(geminiFault.blank());
  ({ url } = await stack.startServer({}, { clock: time.clock }));
});
afterAll(() => stack.close());

async function health() {
  const { status, body } = await stack.fetch('health', {}, url);
  expect(status).toBe(200);
  return healthAnswerSchema.parse(body);
}
const generateImage = async () => (await stack.newUser()).generate('key', {}, url);

it('shows unknown models before the first generation, and reads nothing', async () => {
  const database = new Proxy({} as Stack['database'], {
    get: () => () => Promise.reject(new Error('health must not look')),
  });
  const { url: blind, close } = await stack.startServer({}, { database });
  const { body } = await stack.fetch('health', {}, blind);
  await close();
  expect(body).toMatchObject({ status: 'ok', version: 'local' });
  expect(body.models).toEqual([
    { id: first, state: 'unknown' },
    { id: second, state: 'unknown' },
  ]);
});

it('shows the models as ready after a generation', async () => {
  expect((await generateImage()).status).toBe(200);
  expect((await health()).models).toEqual([
    { id: first, state: 'ready' },
    { id: second, state: 'ready' },
  ]);
});

it('shows an exhausted model with its reason and retry time, until then', async () => {
  stack.gemini.script(geminiFault.perDay());
  expect((await generateImage()).status).toBe(200);
  const [model, other] = (await health()).models;
  expect(model).toMatchObject({ id: first, state: 'exhausted', reason: 'daily quota' });
  expect(Date.parse(model?.retryAt ?? '')).toBeGreaterThan(time.clock.now());
  expect(other).toEqual({ id: second, state: 'ready' });
  time.advance(26 * 3_600_000);
  expect((await health()).models[0]).toEqual({ id: first, state: 'ready' });
});

it.each(['all', first])('shows what an operator switched off by quota/%s', async (id) => {
  await stack.edit(`quota/${id}`, { state: 'off', reason: 'too dear' });
  await generateImage();
  const off = { state: 'off', reason: 'too dear' };
  const [one, two] = (await health()).models;
  expect(one).toEqual({ id: first, ...off });
  expect(two).toEqual(id === 'all' ? { id: second, ...off } : { id: second, state: 'ready' });
});

it('warns of retiring models, fakes and emulators, and shows no address and no key', async () => {
  const { warnings } = await health();
  const starts = [
    `${first} may have been retired`,
    'Gemini is a fake',
    'Cloudinary is a fake',
    'Firestore is an',
  ];
  expect(starts.filter((start) => !warnings.some((warning) => warning.startsWith(start)))).toEqual([]);
  expect(warnings.join()).not.toMatch(/127\.0\.0\.1|test-/);
});

it('warns of nothing with real services and a current model', () => {
  const config = parseConfig({
    GOOGLE_CLOUD_PROJECT: 'studio',
    GEMINI_API_KEY: 'key',
    GOOGLE_GEMINI_BASE_URL: 'https://gateway.example.com',
    CLOUDINARY_URL: 'cloudinary://1:2@cloud?upload_prefix=https://api-eu.cloudinary.com',
    IMAGEGEN_MODEL_ID: second,
    IMAGEGEN_FALLBACK_MODEL_IDS: '',
  });
  expect(getWarnings(config, new Date('2026-11-22'))).toEqual([]);
});

it('warns of terms that nobody can read', () => {
  const warningsWith = (env: Record<string, string>) =>
    getWarnings(
      parseConfig({ GOOGLE_CLOUD_PROJECT: 'p', IMAGEGEN_FALLBACK_MODEL_IDS: '', ...env }),
      new Date('2026-01-01'),
    );
  const without = warningsWith({});
  const [warning, ...more] = warningsWith({ TERMS_VERSION: '1' });
  expect([warning?.includes('TERMS_URL'), more]).toEqual([true, without]);
  expect(warningsWith({ TERMS_VERSION: '1', TERMS_URL: 'https://studio.example/terms' })).toEqual(without);
});
