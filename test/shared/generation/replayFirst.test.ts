/** Whatever the configuration has become since, a key that was paid for gets its answer again. */
import { expect, it } from 'vitest';
import { generateRequestSchema } from '../../../shared/contract.ts';
import { hold } from '../../../shared/generation/hold.ts';
import { hashFingerprint, hashGenerationId } from '../../../shared/generation/record.ts';
import { settle } from '../../../shared/generation/settle.ts';
import { alwaysAvailable } from '../../support/alwaysAvailable.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';
import { onePixelPng } from '../../support/pictures.ts';

const references = Array.from({ length: 5 }, () => ({
  mimeType: 'image/png',
  data: onePixelPng.toString('base64'),
}));
const takesMany = { IMAGEGEN_MODEL_ID: 'gemini-nano-banana-2.1' };
const takesThree = { IMAGEGEN_MODEL_ID: 'gemini-2.5-flash-image' };
const fallback = { IMAGEGEN_FALLBACK_MODEL_IDS: '' };

function startBoth(env: Record<string, string> = {}) {
  const world = createMemoryWorld();
  const before = createMemoryStudio({ world, env: { ...env, ...fallback, ...takesMany } });
  const after = createMemoryStudio({ world, env: { ...env, ...fallback, ...takesThree } });
  return { before, after };
}

it('replays five references although the model that is configured now takes three', async () => {
  const { before, after } = startBoth();
  const first = await before.generate('k', { references });
  expect(first.status).toBe(200);
  expect(await after.generate('k', { references })).toEqual(first);
  expect(after.generated()).toBe(0);
});

it('says that the key was used for another body, before it counts the references', async () => {
  const { before, after } = startBoth();
  await before.generate('k');
  expect(toOutcome(await after.generate('k', { references }))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
});

it('refuses a new request with too many references before any debit', async () => {
  const { after } = startBoth();
  const refused = await after.generate('k', { references });
  expect(toOutcome(refused)).toEqual([400, 'INVALID_REQUEST']);
  expect(refused.body.error.message).toBe('references must have at most 3 images with this model.');
  expect(after.documents('accounts/ann/generations')).toEqual([]);
  expect(after.generated()).toBe(0);
  expect((await after.generate('k', { references: references.slice(0, 3) })).status).toBe(200);
});

it('says that an account is suspended before it counts the references', async () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, env: { ...fallback, ...takesThree } });
  await studio.generate('a');
  const [document] = world.store.read(['accounts/ann']).documents;
  world.store.commit([{ set: 'accounts/ann', data: { ...document?.data, suspended: true } } as never]);
  expect(toOutcome(await studio.generate('k', { references }))).toEqual([403, 'ACCOUNT_SUSPENDED']);
});

it('replays for a user who has not accepted the new terms, and refuses a new request', async () => {
  const world = createMemoryWorld();
  const before = createMemoryStudio({ world });
  const after = createMemoryStudio({ world, env: { TERMS_VERSION: '2' } });
  const first = await before.generate('k');
  expect(first.status).toBe(200);
  expect(await after.generate('k')).toEqual(first);
  expect(toOutcome(await after.generate('k', { prompt: 'Another' }))).toEqual([
    422,
    'IDEMPOTENCY_KEY_REUSED',
  ]);
  expect(toOutcome(await after.generate('new'))).toEqual([403, 'TERMS_NOT_ACCEPTED']);
});

it('replays a reference that is called broken now', async () => {
  const { after } = startBoth();
  const cutOff = { mimeType: 'image/png', data: onePixelPng.subarray(0, 60).toString('base64') };
  const body = { prompt: 'A banana', tier: 'standard', references: [cutOff] };
  const request = generateRequestSchema.parse(body);
  const ledger = await after.services.ledger();
  const user = { uid: 'ann', email: undefined, verified: true, identities: [] };
  const { record } = await hold(ledger, user, {
    id: hashGenerationId('ann', 'k'),
    fingerprint: hashFingerprint(request),
    request,
    availability: alwaysAvailable,
  });
  expect(toOutcome(await after.generate('k', { references: [cutOff] }))).toEqual([409, 'IN_PROGRESS']);
  const { bytes, width, height, mimeType } = image();
  const urls = { url: 'https://images.example/1', thumbnailUrl: 'https://images.example/small' };
  const cacheUntil = new Date(0);
  const stored = { ...urls, mimeType, width, height, bytes };
  const cost = { model: 'model', enhancedPrompt: null, providerCostMicros: 1, cacheUntil };
  await settle(ledger, record, { ...cost, image: stored });
  const replay = await after.generate('k', { references: [cutOff] });
  expect([replay.status, replay.body.generation.id]).toEqual([200, record.id]);
  expect(toOutcome(await after.generate('l', { references: [cutOff] }))).toEqual([
    422,
    'REFERENCE_UNREADABLE',
  ]);
});

it('names a reference that is not an image before it looks for the key', async () => {
  const { after } = startBoth();
  await after.generate('k');
  const text = { mimeType: 'image/png', data: Buffer.from('text').toString('base64') };
  expect(toOutcome(await after.generate('k', { references: [text] }))).toEqual([400, 'INVALID_REQUEST']);
});

it('replays a prompt with the line breaks of a word processor, and one that has ordinary ones instead', async () => {
  const { before, after } = startBoth();
  const first = await before.generate('k', { prompt: 'A banana\u2028on the\vmoon' });
  expect(first.status).toBe(200);
  expect(before.documents('accounts/ann/generations')).toMatchObject([{ prompt: 'A banana\non the\nmoon' }]);
  for (const prompt of ['A banana\u2028on the\vmoon', 'A banana\non the\nmoon']) {
    expect(await after.generate('k', { prompt })).toEqual(first);
  }
  expect(after.generated()).toBe(0);
});
