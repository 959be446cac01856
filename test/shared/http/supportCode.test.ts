/** Every error about a generation has its id, and the log line has the hash of the Idempotency-Key. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryServices } from '../../support/memoryServices.ts';
import { createMemoryStudio } from '../../support/memoryStudio.ts';

const id = hashGenerationId('ann', 'key');
const request = { prompt: 'A banana', tier: 'standard' };

type Body = { error: { details: { reason?: string; metadata?: Record<string, string> }[] } };
const readError = (body: unknown) => {
  const [info] = (body as Body).error.details;
  return { reason: info?.reason, generationId: info?.metadata?.generationId };
};

describe('an error of generate has the id of its generation', () => {
  it.each<[string, object, Record<string, unknown>]>([
    ['INVALID_REQUEST', { prompt: '' }, { balance: 10 }],
    ['INSUFFICIENT_CREDITS', request, { balance: 0 }],
    ['ACCOUNT_SUSPENDED', request, { balance: 10, suspended: true }],
    ['ACCOUNT_INVALID', request, { balance: 'ten' }],
    ['NOT_FOUND', { ...request, references: [{ generationId: 'f'.repeat(32) }] }, { balance: 10 }],
  ])('%s', async (reason, body, account) => {
    const { call, store, lines } = createMemoryServices();
    store.commit([{ create: 'accounts/ann', data: account }]);
    const answer = await call('generate', { as: 'user:ann', key: 'key', body });
    expect(readError(answer.body)).toEqual({ reason, generationId: id });
    expect(lines.find((line) => line.function === 'generate')).toMatchObject({ generationId: id });
  });

  it('after its debit, and when the answer is repeated', async () => {
    const { generate } = createMemoryStudio({
      imageGenerator: async () => {
        throw new Failure('NO_IMAGE', 'No.');
      },
    });
    for (const _ of ['first', 'repeated']) {
      expect(readError((await generate('key')).body)).toEqual({ reason: 'NO_IMAGE', generationId: id });
    }
  });

  it('but not before the key is known', async () => {
    const { call } = createMemoryServices();
    const answer = await call('generate', { as: 'user:ann', body: request });
    expect(readError(answer.body)).toEqual({ reason: 'INVALID_REQUEST', generationId: undefined });
  });
});

it.each<[string, Parameters<ReturnType<typeof createMemoryServices>['call']>[1]]>([
  ['generation', { as: 'user:ann', query: { id } }],
  ['generation', { as: 'user:ann', query: { key: 'key' } }],
  ['deleteGeneration', { as: 'user:ann', body: { id } }],
  ['share', { as: 'user:ann', body: { id, shared: true } }],
  ['takedown', { as: 'admin:root', body: { uid: 'ann', generationId: id, reason: 'a rule' } }],
  ['grant', { as: 'admin:root', key: 'k', body: { uid: 'ann', generationId: id, amount: 1, reason: 'so' } }],
])('an error of %s has the id of the generation', async (name, call) => {
  const services = createMemoryServices();
  const { body } = await services.call(name, call);
  expect(readError(body)).toEqual({ reason: 'NOT_FOUND', generationId: id });
});

describe('the log line', () => {
  const keyHash = createHash('sha256').update('["key"]').digest('hex').slice(0, 32);

  it('of a generation has the hash of the key, and not the key', async () => {
    const { call, store, lines } = createMemoryServices();
    store.commit([{ create: 'accounts/ann', data: { balance: 0 } }]);
    await call('generate', { as: 'user:ann', key: 'key', body: request });
    const line = lines.find((one) => one.function === 'generate');
    expect(line).toMatchObject({ keyHash });
    expect(JSON.stringify(line)).not.toContain('"key"');
  });

  it('of a grant has the hash that its document is named by', async () => {
    const { call, store, lines } = createMemoryServices();
    store.commit([{ create: 'accounts/ann', data: { balance: 10 } }]);
    const body = { uid: 'ann', amount: 5, reason: 'a gift' };
    await call('grant', { as: 'admin:root', key: 'key', body });
    expect(lines.at(-1)).toMatchObject({ function: 'grant', keyHash });
    expect(store.read([`grants/${keyHash}`]).documents[0]).toBeDefined();
  });

  it('of a call without a key has none', async () => {
    const { call, lines } = createMemoryServices();
    await call('account', { as: 'user:ann' });
    expect(lines.at(-1)).not.toHaveProperty('keyHash');
  });
});
