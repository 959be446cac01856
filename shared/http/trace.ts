/** Reads a request's trace from its headers, as the fields by which Cloud Logging groups log lines. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Fields } from '../core/log.ts';

type Trace = { trace: string; span?: string; sampled?: boolean };

/** The fields of every log line of a request. The execution id is that of functions-framework's header, or new. */
export function requestFields(headers: IncomingHttpHeaders, projectId: string): Fields {
  const id = /^[\w-]{1,64}$/.exec(String(headers['function-execution-id'] ?? ''))?.[0];
  const labels = { execution_id: id ?? randomUUID() };
  const trace = parseTraceparent(headers.traceparent) ?? parseCloudTrace(headers['x-cloud-trace-context']);
  return {
    'logging.googleapis.com/labels': labels,
    ...(trace && { 'logging.googleapis.com/trace': `projects/${projectId}/traces/${trace.trace}` }),
    ...(trace?.span && { 'logging.googleapis.com/spanId': trace.span }),
    ...(trace?.sampled !== undefined && { 'logging.googleapis.com/trace_sampled': trace.sampled }),
  };
}

/** W3C Trace Context: version, trace, span and flags in hexadecimal. The lowest bit of the flags means sampled. */
function parseTraceparent(header: unknown): Trace | undefined {
  const match = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/.exec(String(header ?? ''));
  if (!match) return undefined;
  const [, trace, span, flags] = match as unknown as [string, string, string, string];
  return { trace, span, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** X-Cloud-Trace-Context: TRACE/SPAN;o=1, with the span in decimal. Cloud Logging needs 16 hexadecimal digits. */
function parseCloudTrace(header: unknown): Trace | undefined {
  const match = /^([\da-f]{32})(?:\/(\d{1,20}))?(?:;o=([01]))?/.exec(String(header ?? ''));
  if (!match) return undefined;
  const [, trace, span, sampled] = match as unknown as [string, string, string?, string?];
  return {
    trace,
    ...(span && { span: BigInt(span).toString(16).padStart(16, '0') }),
    ...(sampled && { sampled: sampled === '1' }),
  };
}
