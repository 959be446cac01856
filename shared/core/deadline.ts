/** Deadlines for work that cannot be aborted, or may not end when it is aborted. */

/** The deadline passed before the work ended. The outcome of the work is unknown. */
export class DeadlinePassed extends Error {
  override name = 'DeadlinePassed';
}

/**
 * Resolves with the result of `work`; rejects after `milliseconds` or when `signal` aborts.
 * The work itself continues, and its late result or error is ignored.
 * @param what names the work in the error's message.
 * @throws {DeadlinePassed} after `milliseconds`; the signal's reason when it aborts.
 */
export function withDeadline<T>(
  work: Promise<T>,
  milliseconds: number,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => finish(() => reject(new DeadlinePassed(`${what} took more than ${milliseconds} ms`))),
      milliseconds,
    );
    const abort = () => finish(() => reject(signal?.reason));
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
    work.then(
      (value) => finish(() => resolve(value)),
      (error) => finish(() => reject(error)),
    );
  });
}
