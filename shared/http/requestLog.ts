/** The one line that is logged of a request: what it was, how it ended, how long each step took. */
import type { Fields, RequestLog } from '../core/log.ts';
import { getSpoiltFields } from '../database/spoiltDocuments.ts';
import type { Failure } from '../errors.ts';
import type { Services } from '../services.ts';

/** Starts the line of a request to a function. It is written by `ok` or `fail`. */
export function createRequestLog({ log, clock }: Pick<Services, 'log' | 'clock'>, name: string) {
  const startedAt = clock.elapsed();
  const since = (time: number) => Math.round(clock.elapsed() - time);
  const added: Fields = {};
  const toLine = (outcome: string, status: number, more: Fields = {}) => {
    return { function: name, outcome, status, ...more, durationMs: since(startedAt), ...added };
  };
  return {
    add: (fields) => void Object.assign(added, fields),

    async timed(step, work) {
      const stepStartedAt = clock.elapsed();
      try {
        return await work;
      } finally {
        added[`${step}Ms`] = since(stepStartedAt);
      }
    },

    ok: () => log.info(`${name}: ok`, toLine('ok', 200)),

    /** Logs an internal error at ERROR with its causes, for Error Reporting; a refusal is an ordinary line. */
    fail(failure: Failure, status: number): void {
      const { reason, details } = failure;
      const message = `${name}: ${reason}`;
      const fields = toLine(status < 500 ? 'refused' : 'failed', status, { reason });
      if (status < 500) log.info(message, fields);
      else if (status === 500)
        log.error(message, { ...fields, ...getSpoiltFields(details.cause), error: failure });
      else log.warning(message, { ...fields, cause: getCauseMessage(details.cause) });
    },
  } satisfies RequestLog & Record<string, unknown>;
}

const getCauseMessage = (cause: unknown) => (cause instanceof Error ? cause.message : undefined);
