/** Which model is called next, for how long, and how often, by what the failure of the last one means. */
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import { Failure, type ProviderFailure } from '../../../shared/errors.ts';
import { createModelFallback } from '../../../shared/imagegen/modelFallback.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import type { Quota } from '../../../shared/imagegen/quota.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const ids = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1', 'gemini-3.1-flash-lite-image'] as const;
const [first, second, third] = ids;
const deadlineMs = 120_000;
const request = {
  prompt: 'A banana',
  aspectRatio: '1:1' as const,
  resolution: '1K' as const,
  references: [],
};

type Failing = ProviderFailure & { costMicros?: number };
/** What a model does when it is called: an image, or a failure. A silent model uses all of its time. */
type Answer = 'image' | Failing;

const reasons: Partial<Record<ProviderFailure['kind'], 'NO_IMAGE' | 'PROVIDER_TIMEOUT'>> = {
  unusable: 'NO_IMAGE',
  silent: 'PROVIDER_TIMEOUT',
};
const toFailure = ({ costMicros, ...providerFailure }: Failing) =>
  new Failure(reasons[providerFailure.kind] ?? 'PROVIDER_ERROR', `It is ${providerFailure.kind}.`, {
    providerFailure,
    ...(costMicros && { providerCostMicros: costMicros }),
  });

/** Generates an image with models that answer in turn as scripted. */
async function run(
  script: Record<string, Answer[]>,
  options: { ids?: readonly string[]; unusable?: string[] } = {},
) {
  const { ids: modelIds = ids, unusable = [] } = options;
  const time = virtualClock();
  const calls: [id: string, milliseconds: number][] = [];
  const recorded: [id: string, kind: string][] = [];
  const closed = new Set(unusable);
  const quota: Partial<Quota> = {
    filterUsable: (candidates) => candidates.filter((id) => !closed.has(id)),
    async recordFailure(id, { kind }) {
      recorded.push([id, kind]);
      if (['day', 'billing', 'retired'].includes(kind)) closed.add(id);
    },
    recordSuccess: async () => {},
    refusal: () => undefined,
  };
  const generate = createModelFallback({
    gemini: {
      async generateImage({ id, costMicros }, _request, milliseconds) {
        calls.push([id, milliseconds]);
        const answer = script[id]?.shift() ?? 'image';
        if (answer === 'image') {
          const facts = { mimeType: 'image/png' as const, width: 1, height: 1, chunks: [], bytes: 1 };
          return { ...facts, model: id, providerCostMicros: costMicros['1K'] };
        }
        if (answer.kind === 'silent') time.advance(milliseconds);
        throw toFailure(answer);
      },
    },
    quota: quota as Quota,
    models: modelIds.map((id) => imageModel(id)),
    retry: { attempts: 3, baseDelayMs: 1_000 },
    clock: time.clock,
    log: createLog(() => {}),
  });
  const outcome = await generate(request, deadlineMs, new AbortController().signal).then(
    ({ model, providerCostMicros }) => ({ model, reason: undefined, costMicros: providerCostMicros }),
    ({ reason, details }: Failure) => ({
      model: undefined,
      reason,
      costMicros: details.providerCostMicros,
    }),
  );
  return { ...outcome, calls, called: calls.map(([id]) => id), pauses: time.pauses, recorded };
}

const billed: Answer = { kind: 'passing', mayBeBilled: true, costMicros: 39_000 };
const silent: Answer = { kind: 'silent', mayBeBilled: true, costMicros: 39_000 };
const passing: Answer = { kind: 'passing' };

describe('a billed reply is worth one more try in all', () => {
  it('of the same model, which may succeed', async () => {
    const { model, called, costMicros } = await run({ [first]: [billed] });
    expect([model, called, costMicros]).toEqual([first, [first, first], 78_000]);
  });

  it('and then the request fails, whatever other models are free', async () => {
    const { reason, called, costMicros } = await run({ [first]: [billed, billed] });
    expect([reason, called, costMicros]).toEqual(['PROVIDER_ERROR', [first, first], 78_000]);
  });

  it('over two models too', async () => {
    const unusable: Answer = { kind: 'unusable', mayBeBilled: true, costMicros: 39_000 };
    const { reason, called } = await run({ [first]: [unusable], [second]: [billed, billed] });
    expect([reason, called]).toEqual(['PROVIDER_ERROR', [first, second]]);
  });

  it('which tries that cost nothing do not use up', async () => {
    const { model, called } = await run({ [first]: [billed, passing, passing], [second]: [passing] });
    expect([model, called]).toEqual([second, [first, first, first, second, second]]);
  });
});

describe('a wait of more than 1.5 s', () => {
  const wait = (retryAfterMs: number): Answer => ({ kind: 'minute', retryAfterMs });

  it('is not made while another model is free', async () => {
    const { model, called, pauses, recorded } = await run({ [first]: [wait(1_501)] });
    expect([model, called, pauses]).toEqual([second, [first, second], []]);
    expect(recorded).toEqual([[first, 'minute']]);
  });

  it.each([1_500, 1])('%i ms are waited for', async (ms) => {
    const { model, called, pauses } = await run({ [first]: [wait(ms)] });
    expect([model, called, pauses]).toEqual([first, [first, first], [ms]]);
  });

  it.each([
    ['only this model is configured', { ids: [first] }],
    ['the others are closed', { unusable: [second, third] }],
  ])('is made if %s', async (_, options) => {
    const { model, pauses } = await run({ [first]: [wait(7_000), wait(9_000)] }, options);
    expect([model, pauses]).toEqual([first, [7_000, 9_000]]);
  });

  it('is not made before a retry either', async () => {
    const overloaded: Answer = { kind: 'overloaded', retryAfterMs: 30_000 };
    expect((await run({ [first]: [overloaded] })).called).toEqual([first, second]);
  });
});

describe('a silent model', () => {
  it('gets half of the time while another model is free, and the next one the rest', async () => {
    const { model, calls, costMicros, recorded } = await run({ [first]: [silent] });
    expect(model).toBe(second);
    expect(calls).toEqual([
      [first, deadlineMs / 2],
      [second, deadlineMs / 2],
    ]);
    expect(costMicros).toBe(39_000 + 33_600);
    expect(recorded).toEqual([[first, 'silent']]);
  });

  it('gets all of the time if no other model is free', async () => {
    const { reason, calls } = await run({ [first]: [silent] }, { unusable: [second, third] });
    expect([reason, calls]).toEqual(['PROVIDER_TIMEOUT', [[first, deadlineMs]]]);
  });

  it('is not followed by a third one', async () => {
    const { reason, called } = await run({ [first]: [silent], [second]: [silent] });
    expect([reason, called]).toEqual(['PROVIDER_TIMEOUT', [first, second]]);
  });
});

describe.each(['refused', 'unusable'] as const)('after a reply that is %s', (kind) => {
  it('the next model is called once, and may succeed', async () => {
    const { model, called } = await run({ [first]: [{ kind }] });
    expect([model, called]).toEqual([second, [first, second]]);
  });

  it('the request fails with that failure of the next model', async () => {
    const { reason, called, recorded } = await run({ [first]: [{ kind }], [second]: [{ kind }] });
    expect(reason).toBe(kind === 'unusable' ? 'NO_IMAGE' : 'PROVIDER_ERROR');
    expect(called).toEqual([first, second]);
    expect(recorded).toEqual([
      [first, kind],
      [second, kind],
    ]);
  });

  it('the request fails if no other model is free', async () => {
    expect((await run({ [first]: [{ kind }] }, { ids: [first] })).called).toEqual([first]);
  });

  it('a model whose quota is used up is passed over', async () => {
    const { model, called } = await run({ [first]: [{ kind }], [second]: [{ kind: 'day' }] });
    expect([model, called]).toEqual([third, [first, second, third]]);
  });
});

describe('404 of every model', () => {
  const gone = Object.fromEntries(ids.map((id) => [id, [{ kind: 'retired' } as const]]));

  it('does not retire the last usable one', async () => {
    const { called, recorded } = await run(structuredClone(gone));
    expect(called).toEqual(ids);
    expect(recorded).toEqual([
      [first, 'retired'],
      [second, 'retired'],
    ]);
  });

  it('does not retire the only one', async () => {
    expect((await run(structuredClone(gone), { ids: [first] })).recorded).toEqual([]);
  });

  it('does not retire the last one that is left of several', async () => {
    const { recorded } = await run(structuredClone(gone), { unusable: [first] });
    expect(recorded).toEqual([[second, 'retired']]);
  });

  it('retires one after others were closed for another reason', async () => {
    const script: Record<string, Answer[]> = {
      [first]: [{ kind: 'day' }],
      [second]: [{ kind: 'billing' }],
      [third]: [{ kind: 'retired' }],
    };
    expect((await run(script)).recorded).toEqual([
      [first, 'day'],
      [second, 'billing'],
      [third, 'retired'],
    ]);
  });
});
