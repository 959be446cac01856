import * as z from 'zod';
import type { Config } from '../shared/config/config.ts';
import { getWarnings } from '../shared/config/warnings.ts';
import { healthAnswerSchema, type StudioInfo } from '../shared/contract/health.ts';
import { tierSchema } from '../shared/contract/tiers.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { stateWarnings, toModelReports } from '../shared/imagegen/modelStates.ts';

/** Reports that this instance answers, and what it knows. It calls no other service, so nobody can make it cost money. */
export const health = endpoint({
  method: 'GET',
  access: 'anyone',
  input: z.looseObject({}),
  answer: healthAnswerSchema,
  run: async (_call, { config, clock, modelStates }) => {
    const now = new Date(clock.now());
    return {
      body: {
        status: 'ok' as const,
        version: config.version,
        models: toModelReports(config.modelIds, modelStates, now),
        warnings: [...getWarnings(config, now), ...stateWarnings(config.modelIds, modelStates, now)],
        studio: toStudioInfo(config),
      },
    };
  },
});

/** What a visitor may know before the sign-in. */
function toStudioInfo({ signupCredits, tierCredits, terms, supportEmail }: Config): StudioInfo {
  return {
    signupCredits,
    tiers: tierSchema.options.map((id) => ({ id, credits: tierCredits[id] })),
    ...(terms.termsUrl && { termsUrl: terms.termsUrl }),
    ...(terms.privacyUrl && { privacyUrl: terms.privacyUrl }),
    ...(supportEmail && { supportEmail }),
  };
}
