/**
 * Structured logs: one JSON object a line, in the fields that Cloud Logging and Error Reporting read.
 * Prompts, tokens and keys never go in.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export type Fields = Record<string, unknown>;

export type Log = {
  info(message: string, fields?: Fields): void;
  warning(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields & { error?: unknown }): void;
};

/** The one line that is logged of a request, while it is being made. */
export type RequestLog = {
  /** Adds fields to the line. */
  add(fields: Fields): void;
  /** Awaits a step's work and adds its time to the line as `{step}Ms`. */
  timed<T>(step: string, work: Promise<T>): Promise<T>;
};

/** Who logs, and what must not be in a line whatever somebody else's error says. */
export type Origin = { service: string; version: string; secrets: readonly string[] };

/** By this Error Reporting takes a line for an error, with a stack or without. */
const reportedError = 'type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent';
/** A token, whoever made it: header, payload and signature in base64. */
const token = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

const ofRequest = new AsyncLocalStorage<Fields>();

/** Does `work`; every line that is logged meanwhile for its sake, by whatever log, carries `fields` too. */
export const withFields = <T>(fields: Fields, work: () => T): T => ofRequest.run(fields, work);

/** A log that writes lines through `write`. */
export function createLog(write: (line: string) => void, origin?: Origin): Log {
  const { service, version, secrets = [] } = origin ?? {};
  const line = (severity: string, message: string, fields: Fields = {}) => {
    const time = new Date().toISOString();
    const text = asJson({ severity, time, message, ...ofRequest.getStore(), ...fields });
    const named = secrets.reduce((masked, secret) => masked.replaceAll(secret, '[secret]'), text);
    write(`${named.replace(token, '[token]')}\n`);
  };
  return {
    info: (message, fields) => line('INFO', message, fields),
    warning: (message, fields) => line('WARNING', message, fields),
    error(message, fields = {}) {
      const { error, ...rest } = fields;
      const stack = error === undefined ? {} : { stack_trace: toStackTrace(error) };
      const report = { '@type': reportedError, ...(service && { serviceContext: { service, version } }) };
      line('ERROR', message, { ...report, ...rest, ...stack });
    },
  };
}

/** A thrown value and its causes as one stack, for Error Reporting. */
function toStackTrace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${toStackTrace(error.cause)}`;
}

/** What a line cannot hold, such as what an admin typed into the console, is no reason to fail at what is logged. */
function asJson(line: Fields): string {
  try {
    return JSON.stringify(line);
  } catch (error) {
    const { severity, time, message } = line;
    return JSON.stringify({ severity, time, message, unloggable: String(error) });
  }
}
