/**
 * Whether the image store accepts our calls, as far as this instance knows. While it refuses them (a wrong signature, a
 * disabled account), or takes no files as large as those of a resolution, an image that is generated could not be stored,
 * but would be billed.
 */
import { type Resolution, resolutions } from '../contract/tiers.ts';
import type { Clock } from '../core/clock.ts';
import { Failure } from '../errors.ts';

/** How long no image is generated after the store refused us, milliseconds. Then one generation tries it again. */
const recheckMs = 60_000;
/** How long no image of a resolution is generated after one was too large for the store, milliseconds. */
const tooLargeMs = 3_600_000;

export type StoreAccess = {
  /** The refusal of a request before its debit, while the store is known to refuse us. */
  refusal(resolution: Resolution): Failure | undefined;
  /**
   * Call before an image is generated: once the store may be tried again, the first caller goes ahead, and all others
   * are refused until its upload has ended or another minute has passed.
   * @throws {Failure} as `refusal`.
   */
  claim(resolution: Resolution): void;
  recordRefusal(): void;
  /** Records that an image was too large for the store. @param maxBytes the most that it takes, if it says so. */
  recordTooLarge(resolution: Resolution, maxBytes: string | undefined): void;
  recordSuccess(): void;
};

export function createStoreAccess({ elapsed }: Clock): StoreAccess {
  /** When the store may be tried again, by `elapsed`; undefined while it is not known to refuse us. */
  let retryAt: number | undefined;

  /** When images of a resolution may be tried again, by `elapsed`, and the most bytes that the store takes. */
  const tooLarge = new Map<Resolution, { until: number; maxBytes: string | undefined }>();

  function refuseTooLarge(resolution: Resolution): Failure | undefined {
    const known = [...tooLarge.entries()].find(
      ([each, { until }]) =>
        elapsed() < until && resolutions.indexOf(each) <= resolutions.indexOf(resolution),
    );
    if (!known) return undefined;
    const [, { maxBytes }] = known;
    return new Failure(
      'STORAGE_ERROR',
      `Images of ${resolution} are too large for the image store. Choose a lower resolution.`,
      { retry: 'no', ...(maxBytes && { metadata: { maxBytes } }) },
    );
  }

  const refuseCalls = () =>
    retryAt !== undefined && elapsed() < retryAt
      ? new Failure('PROVIDER_MISCONFIGURED', 'Storing images is not set up correctly on our side.', {
          cause: new Error('The image store has refused our calls within the last minute'),
        })
      : undefined;
  const refusal = (resolution: Resolution) => refuseCalls() ?? refuseTooLarge(resolution);
  const closeForAMinute = () => {
    retryAt = elapsed() + recheckMs;
  };
  return {
    refusal,
    claim(resolution) {
      const refused = refusal(resolution);
      if (refused) throw refused;
      if (retryAt !== undefined) closeForAMinute();
    },
    recordRefusal: closeForAMinute,
    recordTooLarge(resolution, maxBytes) {
      // There is no lower resolution than 1K, and most of its images are far smaller than the one that was not.
      if (resolution !== '1K') tooLarge.set(resolution, { until: elapsed() + tooLargeMs, maxBytes });
    },
    recordSuccess() {
      retryAt = undefined;
    },
  };
}
