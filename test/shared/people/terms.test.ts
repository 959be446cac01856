/** The terms: who is asked, what is recorded, and what goes on without them. */
import { describe, expect, it } from 'vitest';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const links = { TERMS_URL: 'https://studio.example/terms', PRIVACY_URL: 'https://studio.example/privacy' };
const write = async () => ({ text: 'A better banana', finishReason: 'STOP', providerCostMicros: 1 });

function startStudio(version: string | undefined = '2026-11', world = createMemoryWorld()) {
  const env = { ...(version && { TERMS_VERSION: version }), ...links };
  const studio = createMemoryStudio({ world, env, write: write as never });
  const enhance = () => studio.call('enhance', { prompt: 'A banana' });
  const accept = (accepted: string) => studio.call('acceptTerms', { version: accepted });
  const change = (data: object) => {
    const [document] = world.store.read(['accounts/ann']).documents;
    world.store.commit([{ set: 'accounts/ann', data: { ...document?.data, ...data } } as never]);
  };
  return {
    ...studio,
    world,
    enhance,
    accept,
    change,
    readTerms: async () => ((await studio.call('account')).body as { terms?: object }).terms,
  };
}

describe('until the terms are accepted', () => {
  it('generate and enhance refuse, name the version, and neither charge nor call a model', async () => {
    const studio = startStudio();
    for (const reply of [await studio.generate('k'), await studio.enhance()]) {
      expect(toOutcome(reply)).toEqual([403, 'TERMS_NOT_ACCEPTED']);
      expect(reply.body.error.details[0]?.metadata).toEqual({ version: '2026-11', retry: 'no' });
    }
    expect(studio.generated()).toBe(0);
    expect(studio.documents('accounts/ann/generations')).toEqual([]);
    expect(studio.documents('accounts/ann/enhancements')).toEqual([]);
    expect(studio.documents('accounts/ann/entries')).toMatchObject([{ type: 'grant' }]);
  });

  it('enhance refuses a user who has an account', async () => {
    const studio = startStudio();
    await studio.call('account');
    expect(toOutcome(await studio.enhance())).toEqual([403, 'TERMS_NOT_ACCEPTED']);
  });

  it('account shows the version to accept, with the links', async () => {
    const { readTerms } = startStudio();
    expect(await readTerms()).toEqual({
      version: '2026-11',
      accepted: false,
      termsUrl: links.TERMS_URL,
      privacyUrl: links.PRIVACY_URL,
    });
  });

  it('a suspended account is refused as suspended', async () => {
    const studio = startStudio();
    await studio.call('account');
    studio.change({ suspended: true });
    for (const reply of [await studio.generate('k'), await studio.enhance()])
      expect(toOutcome(reply)).toEqual([403, 'ACCOUNT_SUSPENDED']);
  });

  it('a request that costs too much is refused for the terms first', async () => {
    const studio = startStudio();
    await studio.call('account');
    studio.change({ balance: 0 });
    expect(toOutcome(await studio.generate('k'))).toEqual([403, 'TERMS_NOT_ACCEPTED']);
  });
});

describe('acceptTerms', () => {
  it("records the version with the database's time, and the same key generates the image", async () => {
    const studio = startStudio();
    await studio.generate('k');
    const reply = await studio.accept('2026-11');
    const acceptedAt = (
      studio.account()?.terms as { acceptedAt: Date } | undefined
    )?.acceptedAt.toISOString();
    expect(reply.body).toMatchObject({
      account: {
        uid: 'ann',
        balance: 100,
        terms: { version: '2026-11', acceptedAt },
      },
    });
    expect(await studio.readTerms()).toMatchObject({ accepted: true, acceptedAt });
    expect((await studio.generate('k')).status).toBe(200);
    expect((await studio.enhance()).status).toBe(200);
  });

  it('may be the first call of a user', async () => {
    const studio = startStudio();
    expect((await studio.accept('2026-11')).body).toMatchObject({ account: { balance: 100 } });
  });

  it('keeps the first time if it is repeated', async () => {
    const studio = startStudio();
    const first = await studio.accept('2026-11');
    await studio.services.clock.pause(60_000);
    expect(await studio.accept('2026-11')).toEqual(first);
  });

  it('records what an admin edited in the same commit', async () => {
    const studio = startStudio();
    await studio.call('account');
    studio.change({ balance: 120 });
    expect((await studio.accept('2026-11')).body).toMatchObject({ account: { balance: 120, sequence: 2 } });
    expect(studio.account()).toMatchObject({ settled: 120, terms: { version: '2026-11' } });
  });

  it('refuses any other version, and names the current one', async () => {
    const studio = startStudio();
    const reply = await studio.accept('2025-01');
    expect(toOutcome(reply)).toEqual([400, 'INVALID_REQUEST']);
    expect(reply.body.error.message).toBe('version must be the current version of the terms, 2026-11.');
    expect(studio.account()).toBeUndefined();
  });

  it('refuses every version where there are no terms', async () => {
    const reply = await startStudio('').accept('2026-11');
    expect(toOutcome(reply)).toEqual([400, 'INVALID_REQUEST']);
    expect(reply.body.error.message).toBe('version is not known: this studio has no terms to accept.');
  });
});

it('a new version asks again', async () => {
  const old = startStudio();
  await old.accept('2026-11');
  const studio = startStudio('2027-01', old.world);
  expect(toOutcome(await studio.generate('k'))).toEqual([403, 'TERMS_NOT_ACCEPTED']);
  const terms = await studio.readTerms();
  expect(terms).toMatchObject({ version: '2027-01', accepted: false });
  expect(terms).not.toHaveProperty('acceptedAt');
  await studio.accept('2027-01');
  expect((await studio.generate('k')).status).toBe(200);
});

it.each([['text'], [{ version: '2026-11' }], [{ version: '2026-11', acceptedAt: 'yesterday' }], [null]])(
  'terms that an admin misspelt count as not accepted: %j',
  async (terms) => {
    const studio = startStudio();
    await studio.accept('2026-11');
    studio.change({ terms });
    expect(toOutcome(await studio.generate('k'))).toEqual([403, 'TERMS_NOT_ACCEPTED']);
    await studio.accept('2026-11');
    expect((await studio.generate('k')).status).toBe(200);
  },
);

describe('without TERMS_VERSION', () => {
  it('nobody is asked, and account shows only the links', async () => {
    const studio = startStudio('');
    expect((await studio.generate('k')).status).toBe(200);
    expect((await studio.enhance()).status).toBe(200);
    expect(await studio.readTerms()).toEqual({
      accepted: true,
      termsUrl: links.TERMS_URL,
      privacyUrl: links.PRIVACY_URL,
    });
  });

  it('account shows no terms at all if there are no links either', async () => {
    const { body } = await createMemoryStudio({}).call('account');
    expect(Object.keys(body)).toEqual(['account', 'tiers', 'limits']);
  });
});

it('the address of support is in account, and in a refusal that only support can end', async () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, env: { SUPPORT_EMAIL: 'help@studio.example' } });
  expect((await studio.call('account')).body).toMatchObject({ supportEmail: 'help@studio.example' });
  const [document] = world.store.read(['accounts/ann']).documents;
  world.store.commit([{ set: 'accounts/ann', data: { ...document?.data, balance: 1.5 } } as never]);
  const metadata = (reply: Awaited<ReturnType<typeof studio.call>>) => reply.body.error.details[0]?.metadata;
  expect(metadata(await studio.call('account'))).toEqual({
    field: 'balance',
    supportEmail: 'help@studio.example',
    retry: 'no',
  });
  world.store.commit([{ set: 'accounts/ann', data: { ...document?.data, suspended: true } } as never]);
  expect(metadata(await studio.generate('k'))).toMatchObject({ supportEmail: 'help@studio.example' });
});
