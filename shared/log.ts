/**
 * Structured logs: one JSON object a line, in the fields that Cloud Logging and Error Reporting read.
 * Prompts, tokens and keys never go in.
 */
type Fields = Record<string, unknown>;

export type Log = {
  info(message: string, fields?: Fields): void;
  warning(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields & { error?: unknown }): void;
  /** The same log with fields that every line of it carries. */
  with(fields: Fields): Log;
};

/** A thrown value and its causes as one stack, for Error Reporting. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}

/** A log that writes lines through `write`. */
export function createLog(write: (line: string) => void, bound: Fields = {}): Log {
  const line = (severity: string, message: string, fields: Fields = {}) =>
    write(`${JSON.stringify({ severity, message, ...bound, ...fields })}\n`);
  return {
    info: (message, fields) => line('INFO', message, fields),
    warning: (message, fields) => line('WARNING', message, fields),
    error(message, fields = {}) {
      const { error, ...rest } = fields;
      line('ERROR', message, error === undefined ? rest : { ...rest, stack_trace: stackOf(error) });
    },
    with: (fields) => createLog(write, { ...bound, ...fields }),
  };
}
