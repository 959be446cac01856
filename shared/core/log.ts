/**
 * Structured logs: one JSON object per line, with the fields that Cloud Logging and Error Reporting read.
 * Never log prompts, tokens or keys.
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

/** The service that logs, and the secrets to mask in every line, even if a vendor's error quotes them. */
export type Origin = { service: string; version: string; secrets: readonly string[] };

/** With this type Error Reporting treats a line as an error, even without a stack. */
const reportedError = 'type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent';
/** Any JWT: header, payload and signature in base64. */
const token = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

const requestFields = new AsyncLocalStorage<Fields>();

/** Runs `work`. Every line logged within it, by any log, has `fields` too. */
export const withFields = <T>(fields: Fields, work: () => T): T => requestFields.run(fields, work);

/** Creates a log that passes each line to `write`. */
export function createLog(write: (line: string) => void, origin?: Origin): Log {
  const { service, version, secrets = [] } = origin ?? {};
  const line = (severity: string, message: string, fields: Fields = {}) => {
    const time = new Date().toISOString();
    const text = toJson({ severity, time, message, ...requestFields.getStore(), ...fields });
    const masked = secrets.reduce((line, secret) => line.replaceAll(secret, '[secret]'), text);
    write(`${masked.replace(token, '[token]')}\n`);
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

/** Most causes of an error that are logged. An error can be a cause of itself. */
const causesMax = 10;

/** The stacks of a thrown value and its causes, as Error Reporting reads them. */
function toStackTrace(error: unknown, causesLeft = causesMax): string {
  if (!(error instanceof Error)) return toText(error);
  const own = error.stack ?? error.message;
  if (error.cause === undefined || causesLeft === 0) return own;
  return `${own}\nCaused by: ${toStackTrace(error.cause, causesLeft - 1)}`;
}

/** Anything can be thrown, and some objects have no text. Logging must not throw, because it is used in catch clauses. */
function toText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return `A thrown ${typeof thrown} without a text`;
  }
}

/** A value that JSON cannot hold, such as one typed in the console, must not make logging throw. */
function toJson(line: Fields): string {
  try {
    return JSON.stringify(line);
  } catch (error) {
    const { severity, time, message } = line;
    return JSON.stringify({ severity, time, message, unloggable: String(error) });
  }
}
