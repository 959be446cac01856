/** A state that an operator has typed wrong stops the spending, and is logged. */
import { expect, it } from 'vitest';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const model = 'gemini-2.5-flash-image';
const env = { IMAGEGEN_MODEL_ID: model, IMAGEGEN_FALLBACK_MODEL_IDS: '' };

it.each<[unknown, boolean]>([
  ['off', true],
  [' Off', true],
  ['disabled', true],
  ['', true],
  [false, true],
  [true, true],
  [0, true],
  [null, true],
  [{ off: true }, true],
  ['ready', false],
  ['READY ', false],
  ['exhausted', true],
])('state %j: generation is off: %s', async (state, isOff) => {
  for (const id of ['all', model]) {
    const studio = createMemoryStudio({ env });
    studio.edit(`quota/${id}`, { state });
    expect(toOutcome(await studio.generate('k'))).toEqual(isOff ? [503, 'PROVIDER_QUOTA'] : [200, undefined]);
    const isKnown = typeof state === 'string' && /^(off|ready|exhausted)$/.test(state.trim().toLowerCase());
    expect(studio.findEvents('document_mistyped')).toMatchObject(
      isKnown ? [] : [{ path: `quota/${id}`, fields: ['state'] }],
    );
  }
});

it('a document without a state is ready', async () => {
  const studio = createMemoryStudio({ env });
  studio.edit('quota/all', { reason: 'for later' });
  expect((await studio.generate('k')).status).toBe(200);
});

it('a time that is text does not reopen a model, and checkQuota changes nothing', async () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, env });
  const typed = { state: 'exhausted', retryAt: '2020-01-01', attempts: 'many' };
  studio.edit(`quota/${model}`, typed);
  expect((await studio.runJob('checkQuota')).body.models).toEqual([{ id: model, state: 'exhausted' }]);
  expect(toOutcome(await studio.generate('k'))).toEqual([503, 'PROVIDER_QUOTA']);
  expect(world.store.read([`quota/${model}`]).documents[0]?.data).toEqual(typed);
  expect(studio.findEvents('document_mistyped')).toMatchObject([{ fields: ['retryAt', 'attempts'] }]);
});

it('a field with a misspelt name is logged', async () => {
  const studio = createMemoryStudio({ env });
  studio.edit('quota/all', { State: 'off', updatedAt: new Date(0) });
  await studio.generate('k');
  expect(studio.findEvents('document_mistyped')).toMatchObject([{ path: 'quota/all', fields: ['State'] }]);
});

it('checkQuota warns of a state that is off and names no model', async () => {
  const studio = createMemoryStudio({ env: { ...env, PROMPT_MODEL_ID: 'gemini-text' } });
  for (const id of ['All', 'all', 'gemini-text', 'gemini-2.5-flash'])
    studio.edit(`quota/${id}`, { state: 'off' });
  studio.edit('quota/gemini-of-last-year', { state: 'exhausted' });
  const { body } = await studio.runJob('checkQuota');
  const strays = body.warnings.filter((warning: string) => warning.startsWith('quota/'));
  expect(strays).toEqual([
    expect.stringMatching(/^quota\/All is off, but no model /),
    expect.stringMatching(/^quota\/gemini-2\.5-flash is off, but no model /),
  ]);
  expect(studio.lines).toContainEqual(expect.objectContaining({ severity: 'WARNING', message: strays[0] }));
});

it('reconcile logs mistyped states, and those that name no model', async () => {
  const studio = createMemoryStudio({ env });
  studio.edit('quota/all', { state: false });
  studio.edit('quota/All', { state: 'off' });
  await studio.runJob('reconcile');
  expect(studio.findEvents('document_mistyped')).toMatchObject([{ path: 'quota/all', fields: ['state'] }]);
  expect(studio.lines.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^quota\/All is off, but no model /),
  );
});
