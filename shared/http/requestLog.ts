/** The single log line of a request: the function, the outcome, the duration, and the fields it adds. */

import type { Fields } from '../core/log.ts';
import type { Failure } from '../errors.ts';
import type { Services } from '../services.ts';

export type RequestLog = {
  /** Adds fields to the line. */
  add(fields: Fields): void;
  /** Awaits `work` and adds its duration to the line as `{step}Ms`, milliseconds. */
  timed<T>(step: string, work: Promise<T>): Promise<T>;
};

/** Measures from this call on. `ok` or `fail` writes the line. */
export function createRequestLog({ log, clock }: Pick<Services, 'log' | 'clock'>, name: string) {
  const startedAt = clock.elapsed();
  const since = (time: number) => Math.round(clock.elapsed() - time);
  const added: Fields = {};
  const toLine = (outcome: string, status: number, more: Fields = {}) => {
    return { function: name, outcome, status, ...more, durationMs: since(startedAt), ...added };
  };
  const requestLog: RequestLog = {
    add: (fields) => void Object.assign(added, fields),
    async timed(step, work) {
      const stepStartedAt = clock.elapsed();
      try {
        return await work;
      } finally {
        added[`${step}Ms`] = since(stepStartedAt);
      }
    },
  };
  return {
    ...requestLog,

    ok: () => log.info(`${name}: ok`, toLine('ok', 200)),

    /** A 500 goes to Error Reporting with its causes, another 5xx is a warning, a refusal is an ordinary line. */
    fail(failure: Failure, status: number): void {
      const { reason, details } = failure;
      const message = `${name}: ${reason}`;
      const fields = toLine(status < 500 ? 'refused' : 'failed', status, { reason });
      if (status < 500) log.info(message, fields);
      else if (status === 500) log.error(message, { ...fields, error: failure });
      else log.warning(message, { ...fields, cause: getCauseMessage(details.cause) });
    },
  };
}

const getCauseMessage = (cause: unknown) => (cause instanceof Error ? cause.message : undefined);
