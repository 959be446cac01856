/**
 * The metadata of a Failure has to fit its reason. `tsc` checks the @ts-expect-error lines below: it reports one that is
 * not needed, so a weaker type does not compile.
 */
import { expect, it } from 'vitest';
import type { Reason } from '../../shared/errorReasons.ts';
import { Failure } from '../../shared/errors.ts';

const message = 'For a person.';

it('accepts the metadata of the reason', () => {
  const failures = [
    new Failure('INSUFFICIENT_CREDITS', message, { metadata: { required: '4', balance: '1' } }),
    new Failure('ACCOUNT_INVALID', message, { metadata: { field: 'balance' } }),
    new Failure('RATE_LIMITED', message, { metadata: { limit: 'maxInFlightPerUser' }, retryAfterSeconds: 5 }),
    new Failure('IN_PROGRESS', message, { metadata: { generationId: 'id' } }),
    new Failure('CONTENT_BLOCKED', message, { metadata: { finishReason: 'SAFETY' }, cause: new Error() }),
    new Failure('NO_IMAGE', message, { metadata: { finishReason: 'NO_CANDIDATE' } }),
  ];
  expect(failures.map(({ details }) => Object.keys(details.metadata ?? {}))).toEqual([
    ['required', 'balance'],
    ['field'],
    ['limit'],
    ['generationId'],
    ['finishReason'],
    ['finishReason'],
  ]);
});

it('needs no details without required metadata', () => {
  const reason = Math.random() < 0.5 ? 'STORAGE_ERROR' : 'PROVIDER_TIMEOUT';
  expect(new Failure(reason, message).details).toEqual({});
  expect(new Failure('NO_IMAGE', message).details).toEqual({});
  expect(new Failure('DELETED', message, { retry: 'no' }).details).toEqual({ retry: 'no' });
});

it('does not compile with other metadata (checked by tsc)', () => {
  expect(createInvalidFailures).toBeTypeOf('function');
});

/** Never called: only its types are checked. */
function createInvalidFailures(anyReason: Reason, anyMetadata: Record<string, string>): Failure[] {
  return [
    // @ts-expect-error INSUFFICIENT_CREDITS needs metadata.
    new Failure('INSUFFICIENT_CREDITS', message),
    // @ts-expect-error Details alone are not enough.
    new Failure('INSUFFICIENT_CREDITS', message, { retry: 'no' }),
    // @ts-expect-error `balance` is missing.
    new Failure('INSUFFICIENT_CREDITS', message, { metadata: { required: '4' } }),
    // @ts-expect-error `balance` is misspelt.
    new Failure('INSUFFICIENT_CREDITS', message, { metadata: { required: '4', balanse: '1' } }),
    // @ts-expect-error Metadata are strings.
    new Failure('INSUFFICIENT_CREDITS', message, { metadata: { required: 4, balance: 1 } }),
    // @ts-expect-error `limit` belongs to RATE_LIMITED.
    new Failure('ACCOUNT_INVALID', message, { metadata: { field: 'balance', limit: 'x' } }),
    // @ts-expect-error `field` belongs to ACCOUNT_INVALID.
    new Failure('RATE_LIMITED', message, { metadata: { field: 'balance' } }),
    // @ts-expect-error IN_PROGRESS needs `generationId`.
    new Failure('IN_PROGRESS', message, { retryAfterSeconds: 2 }),
    // @ts-expect-error CONTENT_BLOCKED needs `finishReason`.
    new Failure('CONTENT_BLOCKED', message, { metadata: {} }),
    // @ts-expect-error Optional metadata are checked too.
    new Failure('NO_IMAGE', message, { metadata: { finishReasons: 'x' } }),
    // @ts-expect-error STORAGE_ERROR has no metadata.
    new Failure('STORAGE_ERROR', message, { metadata: { generationId: 'id' } }),
    // @ts-expect-error There is no such reason.
    new Failure('NO_SUCH_REASON', message),
    // @ts-expect-error There are no such details.
    new Failure('STORAGE_ERROR', message, { reciept: undefined }),
    // @ts-expect-error `with` does not change metadata.
    new Failure('STORAGE_ERROR', message).with({ metadata: { generationId: 'id' } }),
    // @ts-expect-error Unchecked metadata come in only by `restoreFailure`.
    new Failure(anyReason, message, { metadata: anyMetadata }),
  ];
}
