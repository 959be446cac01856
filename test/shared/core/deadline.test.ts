import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeadlinePassed, withDeadline } from '../../../shared/core/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How a promise stands now, without waiting for it. */
const stateOf = (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(
      () => 'resolved',
      () => 'rejected',
    ),
    vi.advanceTimersByTimeAsync(0).then(() => 'pending'),
  ]);

const never = () => new Promise<never>(() => {});

describe('work in time', () => {
  it('gives its result and leaves no timer and no listener behind', async () => {
    const { signal } = new AbortController();
    expect(await withDeadline(Promise.resolve('done'), 1_000, 'Work', signal)).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('gives its own error, unchanged, and leaves no timer and no listener behind', async () => {
    const { signal } = new AbortController();
    const error = new Error('broken');
    await expect(withDeadline(Promise.reject(error), 1_000, 'Work', signal)).rejects.toBe(error);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('wins over a deadline of 0 when it is done already', async () => {
    expect(await withDeadline(Promise.resolve(1), 0, 'Work')).toBe(1);
  });
});

describe('work that is late', () => {
  it('is given up at the deadline, not before', async () => {
    const result = withDeadline(never(), 1_000, 'Painting');
    await vi.advanceTimersByTimeAsync(999);
    expect(await stateOf(result)).toBe('pending');
    const refusal = expect(result).rejects.toThrow(new DeadlinePassed('Painting took more than 1000 ms'));
    await vi.advanceTimersByTimeAsync(1);
    await refusal;
    await expect(result).rejects.toBeInstanceOf(DeadlinePassed);
  });

  it.each([0, -1, -5_000])('is given up at once with %i ms left', async (left) => {
    const refusal = expect(withDeadline(never(), left, 'Work')).rejects.toBeInstanceOf(DeadlinePassed);
    await vi.advanceTimersByTimeAsync(1);
    await refusal;
  });

  it.each(['result', 'error'])('has its late %s dropped, and nothing is unhandled', async (kind) => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const work = Promise.withResolvers<string>();
    const { signal } = new AbortController();
    const refusal = expect(withDeadline(work.promise, 10, 'Work', signal)).rejects.toBeInstanceOf(
      DeadlinePassed,
    );
    await vi.advanceTimersByTimeAsync(10);
    await refusal;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    if (kind === 'result') work.resolve('late');
    else work.reject(new Error('late'));
    vi.useRealTimers();
    // Node reports an unhandled rejection once the microtasks have run: two turns of the loop are past that.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('an aborted signal', () => {
  it('ends the wait with its own reason', async () => {
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const result = withDeadline(never(), 1_000, 'Work', controller.signal);
    expect(await stateOf(result)).toBe('pending');
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('ends it at once where it was aborted before, also for work that is done', async () => {
    const reason = new Error('shutting down');
    const signal = AbortSignal.abort(reason);
    await expect(withDeadline(never(), 1_000, 'Work', signal)).rejects.toBe(reason);
    await expect(withDeadline(Promise.resolve(1), 1_000, 'Work', signal)).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('changes nothing any more once the work is done', async () => {
    const controller = new AbortController();
    const result = withDeadline(Promise.resolve(1), 1_000, 'Work', controller.signal);
    await result;
    controller.abort(new Error('too late'));
    expect(await result).toBe(1);
  });
});
