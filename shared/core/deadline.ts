/** Deadlines on work that cannot be aborted, or that cannot be trusted to end when it is. */

/** The time was up before the work was done. What became of the work is not known. */
export class DeadlinePassed extends Error {
  override name = 'DeadlinePassed';
}

/**
 * The result of `work`, or a rejection once `milliseconds` have passed or `signal` aborts.
 * The work itself goes on; its late result or error is dropped.
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
