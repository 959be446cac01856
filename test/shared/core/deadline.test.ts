import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeadlinePassed, withDeadline } from '../../../shared/core/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The current state of a promise, without waiting for it. */
const getState = (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(
      () => 'resolved',
      () => 'rejected',
    ),
    vi.advanceTimersByTimeAsync(0).then(() => 'pending'),
  ]);

const never = () => new Promise<never>(() => {});

describe('work that ends in time', () => {
  it('resolves with its result and leaves no timer and no listener', async () => {
    const { signal } = new AbortController();
    expect(await withDeadline(Promise.resolve('done'), 1_000, 'Work', signal)).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('rejects with its own error and leaves no timer and no listener', async () => {
    const { signal } = new AbortController();
    const error = new Error('broken');
    await expect(withDeadline(Promise.reject(error), 1_000, 'Work', signal)).rejects.toBe(error);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('wins over a deadline of 0 ms if it is already done', async () => {
    expect(await withDeadline(Promise.resolve(1), 0, 'Work')).toBe(1);
  });
});

describe('work that is late', () => {
  it('is rejected at the deadline, not before', async () => {
    const result = withDeadline(never(), 1_000, 'Generating');
    await vi.advanceTimersByTimeAsync(999);
    expect(await getState(result)).toBe('pending');
    const refusal = expect(result).rejects.toThrow(new DeadlinePassed('Generating took more than 1000 ms'));
    await vi.advanceTimersByTimeAsync(1);
    await refusal;
    await expect(result).rejects.toBeInstanceOf(DeadlinePassed);
  });

  it.each([0, -1, -5_000])('is rejected at once with %i ms left', async (left) => {
    const refusal = expect(withDeadline(never(), left, 'Work')).rejects.toBeInstanceOf(DeadlinePassed);
    await vi.advanceTimersByTimeAsync(1);
    await refusal;
  });

  it.each(['result', 'error'])('has its late %s ignored, without an unhandled rejection', async (kind) => {
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
    // Node reports an unhandled rejection after the microtasks, so within two turns of the event loop.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('an aborted signal', () => {
  it('ends the wait with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const result = withDeadline(never(), 1_000, 'Work', controller.signal);
    expect(await getState(result)).toBe('pending');
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('ends the wait at once if it is already aborted, even for work that is done', async () => {
    const reason = new Error('shutting down');
    const signal = AbortSignal.abort(reason);
    await expect(withDeadline(never(), 1_000, 'Work', signal)).rejects.toBe(reason);
    await expect(withDeadline(Promise.resolve(1), 1_000, 'Work', signal)).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('changes nothing after the work is done', async () => {
    const controller = new AbortController();
    const result = withDeadline(Promise.resolve(1), 1_000, 'Work', controller.signal);
    await result;
    controller.abort(new Error('too late'));
    expect(await result).toBe(1);
  });
});
