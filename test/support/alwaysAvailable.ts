import type { ModelAvailability } from '../../shared/generation/hold.ts';

/** For tests that hold without a request: some model may always be asked. */
export const alwaysAvailable: ModelAvailability = {
  paths: () => [],
  learn: () => {},
  refusal: () => undefined,
};
