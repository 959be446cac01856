/** An operator switches the text model off as any other model: nothing calls it, and images are still generated. */
import { describe, expect, it } from 'vitest';
import type { Write } from '../../../shared/database/database.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const path = 'quota/gemini-3.5-flash-lite';
const better = { prompt: 'A ripe banana on a wooden table', ok: true };

/** A studio in which the text model has this state. */
function createStudio(state: object) {
  const world = createMemoryWorld();
  const set = (data: object) => world.store.commit([{ set: path, data } as Write]);
  set(state);
  let calls = 0;
  const studio = createMemoryStudio({
    world,
    async write() {
      calls += 1;
      return { text: JSON.stringify(better), finishReason: 'STOP', providerCostMicros: 100 };
    },
  });
  return { ...studio, ...world, set, calls: () => calls };
}

describe('while the text model is off', () => {
  it('enhance answers 503, and the call does not count for the limit of the day', async () => {
    const studio = createStudio({ state: 'off' });
    await studio.generate('a');
    expect(toOutcome(await studio.enhance())).toEqual([503, 'PROVIDER_QUOTA']);
    expect(studio.calls()).toBe(0);
    expect(studio.documents('accounts/ann/enhancements')).toEqual([]);
  });

  it("generate uses the user's own prompt", async () => {
    const studio = createStudio({ state: ' Off' });
    const { status, body } = await studio.generate('a', { enhance: true });
    expect([status, body.receipt?.charged]).toEqual([200, 1]);
    expect(body.generation).toMatchObject({ prompt: 'A banana', enhancedPrompt: null });
    expect(studio.calls()).toBe(0);
  });
});

it('improves prompts again once the operator sets it to ready', async () => {
  const studio = createStudio({ state: 'off' });
  studio.set({ state: 'ready' });
  expect((await studio.enhance()).body).toEqual({ prompt: better.prompt, enhanced: true });
  expect((await studio.generate('a', { enhance: true })).body.generation).toMatchObject({
    enhancedPrompt: better.prompt,
  });
});

it('improves prompts again after the time that the operator has set', async () => {
  const studio = createStudio({ state: 'exhausted', retryAt: new Date('2026-01-01T00:01:30Z') });
  const refused = await studio.enhance();
  expect(toOutcome(refused)).toEqual([503, 'PROVIDER_QUOTA']);
  expect(refused.body.error.details.at(-1)).toMatchObject({ retryDelay: '90s' });
  await studio.advance(90_000);
  expect(toOutcome(await studio.enhance())).toEqual([200, undefined]);
});
