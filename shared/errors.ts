/**
 * The one error class, and the closed set of reasons with what each means over HTTP.
 * Reasons and shapes follow Google's API error model (google.rpc.Status with ErrorInfo details).
 */
import type { Receipt, Retry } from './contract.ts';

export const errorDomain = 'nano-banana-studio';

/** HTTP status, google.rpc.Code, and what a client may do where the thrower says nothing else. */
export const reasons = {
  INVALID_REQUEST: [400, 'INVALID_ARGUMENT', 'no'],
  UNAUTHENTICATED: [401, 'UNAUTHENTICATED', 'no'],
  INSUFFICIENT_CREDITS: [402, 'FAILED_PRECONDITION', 'no'],
  FORBIDDEN: [403, 'PERMISSION_DENIED', 'no'],
  ACCOUNT_SUSPENDED: [403, 'PERMISSION_DENIED', 'no'],
  NOT_FOUND: [404, 'NOT_FOUND', 'no'],
  METHOD_NOT_ALLOWED: [405, 'UNIMPLEMENTED', 'no'],
  IN_PROGRESS: [409, 'ABORTED', 'same_key'],
  ACCOUNT_INVALID: [409, 'FAILED_PRECONDITION', 'no'],
  EXPIRED: [410, 'ABORTED', 'new_key'],
  DELETED: [410, 'ABORTED', 'no'],
  TOO_LARGE: [413, 'INVALID_ARGUMENT', 'no'],
  IDEMPOTENCY_KEY_REUSED: [422, 'INVALID_ARGUMENT', 'new_key'],
  CONTENT_BLOCKED: [422, 'FAILED_PRECONDITION', 'new_key'],
  RATE_LIMITED: [429, 'RESOURCE_EXHAUSTED', 'same_key'],
  INTERNAL: [500, 'INTERNAL', 'same_key'],
  PROVIDER_MISCONFIGURED: [500, 'INTERNAL', 'same_key'],
  PROVIDER_ERROR: [502, 'UNAVAILABLE', 'same_key'],
  NO_IMAGE: [502, 'UNAVAILABLE', 'same_key'],
  STORAGE_ERROR: [502, 'UNAVAILABLE', 'same_key'],
  PROVIDER_QUOTA: [503, 'UNAVAILABLE', 'same_key'],
  PROVIDER_OVERLOADED: [503, 'UNAVAILABLE', 'same_key'],
  SPEND_CEILING: [503, 'UNAVAILABLE', 'same_key'],
  DATABASE_UNAVAILABLE: [503, 'UNAVAILABLE', 'same_key'],
  SHUTTING_DOWN: [503, 'UNAVAILABLE', 'same_key'],
  PROVIDER_TIMEOUT: [504, 'DEADLINE_EXCEEDED', 'same_key'],
} as const satisfies Record<string, readonly [number, string, Retry]>;

export type Reason = keyof typeof reasons;

export type FieldViolation = { field: string; description: string };

export type FailureDetails = {
  /** Overrides the table's advice, once more is known than the reason alone tells. */
  retry?: Retry;
  /** Whole seconds after which asking again may help: RetryInfo and `Retry-After`. */
  retryAfterSeconds?: number;
  /** Facts for the client, as Google's ErrorInfo has them: strings only. */
  metadata?: Record<string, string>;
  fieldViolations?: FieldViolation[];
  /** Present on every error of a generation that was debited. */
  receipt?: Receipt;
  /** Extra response headers, such as `Allow`. */
  headers?: Record<string, string>;
  /** What the log should have and the client must not. */
  cause?: unknown;
  /** What a provider's failure means for its model; the chain decides by it. */
  providerFailure?: ProviderFailure;
  /** What the provider bills although it failed, micro-dollars. */
  providerCostMicros?: number;
  /** How many calls to models it took. */
  attempts?: number;
};

/**
 * How a model failed: used up for a minute, for the day or until somebody pays; gone for good; overloaded
 * or failing in passing, so that the same call may succeed; or in a way that no other try can mend.
 */
export type ProviderFailure = {
  kind: 'minute' | 'day' | 'billing' | 'retired' | 'overloaded' | 'passing' | 'final';
  /** When the provider says that asking again may help, milliseconds from now. */
  retryAfterMs?: number;
  /** Whether an image may have been painted all the same, and billed. */
  mayBeBilled?: boolean;
};

/** The project's only error class: a reason of the closed set and a message written for a person. */
export class Failure extends Error {
  readonly reason: Reason;
  readonly details: FailureDetails;

  constructor(reason: Reason, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.reason = reason;
    this.details = details;
  }

  /** The same failure with more said about it. */
  with(details: FailureDetails): Failure {
    const merged = {
      ...this.details,
      ...details,
      metadata: { ...this.details.metadata, ...details.metadata },
    };
    return new Failure(this.reason, this.message, merged);
  }
}

/** Any thrown value as a Failure; what is not one is INTERNAL, its cause kept for the log. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('INTERNAL', 'Something went wrong on our side.', { cause: error });
}

/** A request that does not parse. @param violations each names a field of the body, a header or the query. */
export function invalidRequest(fieldViolations: FieldViolation[]): Failure {
  const [first] = fieldViolations;
  const message = first ? `${first.field} ${first.description}.` : 'The request does not parse.';
  return new Failure('INVALID_REQUEST', message, { fieldViolations });
}

/** The HTTP status and body of a failure, in Google's API error model. */
export function errorAnswer(failure: Failure) {
  const [code, status, retryDefault] = reasons[failure.reason];
  const { retry = retryDefault, retryAfterSeconds, metadata, fieldViolations, receipt } = failure.details;
  const details: object[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: failure.reason,
      domain: errorDomain,
      metadata: { ...metadata, retry },
    },
  ];
  if (fieldViolations) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations });
  }
  if (retryAfterSeconds !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: `${retryAfterSeconds}s`,
    });
  }
  const error = { code, status, message: failure.message, details };
  const headers: Record<string, string> = { ...failure.details.headers };
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  return { code, headers, body: receipt ? { error, receipt } : { error } };
}
