/**
 * Whether the image store accepts our calls, as far as this instance knows. While it refuses them (a wrong signature, a
 * disabled account), an image that is generated could not be stored, but would be billed.
 */
import type { Clock } from '../core/clock.ts';
import { Failure } from '../errors.ts';

/** How long no image is generated after the store refused us, milliseconds. Then one generation tries it again. */
const recheckMs = 60_000;

export type StoreAccess = {
  /** The refusal of a request before its debit, while the store is known to refuse us. */
  refusal(): Failure | undefined;
  /**
   * Call before an image is generated: once the store may be tried again, the first caller goes ahead, and all others
   * are refused until its upload has ended or another minute has passed.
   * @throws {Failure} PROVIDER_MISCONFIGURED while the store is known to refuse us.
   */
  claim(): void;
  recordRefusal(): void;
  recordSuccess(): void;
};

export function createStoreAccess({ elapsed }: Clock): StoreAccess {
  /** When the store may be tried again, by `elapsed`; undefined while it is not known to refuse us. */
  let retryAt: number | undefined;

  const refusal = () =>
    retryAt !== undefined && elapsed() < retryAt
      ? new Failure('PROVIDER_MISCONFIGURED', 'Storing images is not set up correctly on our side.', {
          cause: new Error('The image store has refused our calls within the last minute'),
        })
      : undefined;
  const closeForAMinute = () => {
    retryAt = elapsed() + recheckMs;
  };
  return {
    refusal,
    claim() {
      const refused = refusal();
      if (refused) throw refused;
      if (retryAt !== undefined) closeForAMinute();
    },
    recordRefusal: closeForAMinute,
    recordSuccess() {
      retryAt = undefined;
    },
  };
}
