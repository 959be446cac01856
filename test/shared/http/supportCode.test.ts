/** Every error about a generation has its id, and the log line has the hash of the Idempotency-Key. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryServices } from '../../support/memoryServices.ts';
import { createMemoryStudio, createMemoryWorld } from '../../support/memoryStudio.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

const id = hashGenerationId('ann', 'key');
const request = { prompt: 'A banana', tier: 'standard' };

type Body = { error: { details: { reason?: string; metadata?: Record<string, string> }[] } };
const readError = (body: unknown) => {
  const [info] = (body as Body).error.details;
  return { reason: info?.reason, generationId: info?.metadata?.generationId };
};

describe('an error of generate has the id of its generation', () => {
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

  it('if its refund is left to the sweep', async () => {
    let isDown = false;
    const studio = createMemoryStudio({
      imageGenerator: async () => {
        isDown = true;
        throw new Failure('NO_IMAGE', 'No.');
      },
      faults: (database) => ({
        commit: (writes) => (isDown ? Promise.reject(lostReply()) : database.commit(writes)),
      }),
    });
    expect(readError((await studio.generate('key')).body)).toEqual({ reason: 'NO_IMAGE', generationId: id });
  });

  it('if nobody knows whether it was debited', async () => {
    const { generate } = createMemoryStudio({
      faults: () => ({ commit: () => Promise.reject(lostReply()) }),
    });
    expect(readError((await generate('key')).body)).toEqual({
      reason: 'DATABASE_UNAVAILABLE',
      generationId: id,
    });
  });

  it('if an admin has deleted its document', async () => {
    const world = createMemoryWorld();
    const { generate } = createMemoryStudio({ world });
    await generate('key');
    world.store.commit([{ delete: `accounts/ann/generations/${id}` }]);
    expect(readError((await generate('key')).body)).toEqual({ reason: 'DELETED', generationId: id });
  });

  it('but not if it was refused before a debit: there is no such generation', async () => {
    const { call, store } = createMemoryServices();
    store.commit([{ create: 'accounts/ann', data: { balance: 0 } }]);
    const answer = await call('generate', { as: 'user:ann', key: 'key', body: request });
    expect(readError(answer.body)).toEqual({ reason: 'INSUFFICIENT_CREDITS', generationId: undefined });
  });
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
