/** What a shutdown cuts off: the model finishes the image without us, and bills it. */
import { expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import { Failure } from '../../../shared/errors.ts';
import { createModelFallback } from '../../../shared/imagegen/modelFallback.ts';
import { modelIdDefault } from '../../../shared/imagegen/modelOrder.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import type { Quota } from '../../../shared/imagegen/quota.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const model = imageModel(modelIdDefault);
const quota: Partial<Quota> = { filterUsable: (ids) => [...ids], recordFailure: async () => {} };

it('bills the image on which a model works while the process shuts down', async () => {
  const shutdown = new AbortController();
  const generate = createModelFallback({
    gemini: {
      generateImage: (_model, _request, _milliseconds, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          shutdown.abort(new Failure('SHUTTING_DOWN', 'The server is being replaced.'));
        }),
    },
    quota: quota as Quota,
    models: [model],
    retry: { attempts: 3, baseDelayMs: 1 },
    clock: virtualClock().clock,
    log: createLog(() => {}),
  });
  const request = {
    prompt: 'A banana',
    aspectRatio: '1:1' as const,
    resolution: '1K' as const,
    references: [],
  };
  await expect(generate(request, 10_000, shutdown.signal)).rejects.toMatchObject({
    reason: 'SHUTTING_DOWN',
    details: { providerCostMicros: 39_000, attempts: 1 },
  });
});
