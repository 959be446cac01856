/** What a request's headers say of where it belongs, in the fields by which Cloud Logging groups lines. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Fields } from '../core/log.ts';

type Trace = { trace: string; span?: string; sampled?: boolean };

/** The fields of every line of a request. Its execution id is the header's as functions-framework reads it, or a new one. */
export function requestFields(headers: IncomingHttpHeaders, projectId: string): Fields {
  const given = /^[\w-]{1,64}$/.exec(String(headers['function-execution-id'] ?? ''))?.[0];
  const labels = { execution_id: given ?? randomUUID() };
  const trace = traceparent(headers.traceparent) ?? cloudTrace(headers['x-cloud-trace-context']);
  return {
    'logging.googleapis.com/labels': labels,
    ...(trace && { 'logging.googleapis.com/trace': `projects/${projectId}/traces/${trace.trace}` }),
    ...(trace?.span && { 'logging.googleapis.com/spanId': trace.span }),
    ...(trace?.sampled !== undefined && { 'logging.googleapis.com/trace_sampled': trace.sampled }),
  };
}

/** W3C Trace Context: version, trace, span and flags in hexadecimal; the last flag says whether it is sampled. */
function traceparent(header: unknown): Trace | undefined {
  const found = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/.exec(String(header ?? ''));
  if (!found) return undefined;
  const [, trace, span, flags] = found as unknown as [string, string, string, string];
  return { trace, span, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** X-Cloud-Trace-Context: TRACE/SPAN;o=1, the span in decimal; Cloud Logging wants it as 16 hexadecimal digits. */
function cloudTrace(header: unknown): Trace | undefined {
  const found = /^([\da-f]{32})(?:\/(\d{1,20}))?(?:;o=([01]))?/.exec(String(header ?? ''));
  if (!found) return undefined;
  const [, trace, span, sampled] = found as unknown as [string, string, string?, string?];
  return {
    trace,
    ...(span && { span: BigInt(span).toString(16).padStart(16, '0') }),
    ...(sampled && { sampled: sampled === '1' }),
  };
}
