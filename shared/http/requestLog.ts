/** The one line that is logged of a request: what it was, how it ended, what it took and moved. */

import type { Fields } from '../core/log.ts';
import type { Failure } from '../errors.ts';
import type { Services } from '../services.ts';

export type Notes = {
  /** Adds to the line. */
  note(fields: Fields): void;
  /** The result of a step's work, whose time goes into the line as `{step}Ms`. */
  timed<T>(step: string, work: Promise<T>): Promise<T>;
};

/** The line of a request to a function, from here on. */
export function createRequestLog({ log, clock }: Pick<Services, 'log' | 'clock'>, name: string) {
  const startedAt = clock.elapsed();
  const since = (time: number) => Math.round(clock.elapsed() - time);
  const noted: Fields = {};
  const line = (outcome: string, status: number, more: Fields = {}) => {
    return { function: name, outcome, status, ...more, durationMs: since(startedAt), ...noted };
  };
  const notes: Notes = {
    note: (fields) => void Object.assign(noted, fields),
    async timed(step, work) {
      const begun = clock.elapsed();
      try {
        return await work;
      } finally {
        noted[`${step}Ms`] = since(begun);
      }
    },
  };
  return {
    notes,

    ok: () => log.info(`${name}: ok`, line('ok', 200)),

    /** A failure of ours goes to Error Reporting with its causes; a refusal is an ordinary line. */
    failed(failure: Failure, status: number): void {
      const { reason, details } = failure;
      const message = `${name}: ${reason}`;
      const fields = line(status < 500 ? 'refused' : 'failed', status, { reason });
      if (status < 500) log.info(message, fields);
      else if (status === 500) log.error(message, { ...fields, error: failure });
      else log.warning(message, { ...fields, cause: getCauseMessage(details.cause) });
    },
  };
}

const getCauseMessage = (cause: unknown) => (cause instanceof Error ? cause.message : undefined);
