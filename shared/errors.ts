/** The project's one error class, and the HTTP answer of an error. */
import type { Retry } from './contract/errors.ts';
import type { Receipt } from './contract/generation.ts';
import { getReasonRow, type Reason, type ReasonMetadata, reasons } from './errorReasons.ts';

export const errorDomain = 'nano-banana-studio';

const internalMessage = 'Something went wrong on our side.';

export type FieldViolation = { field: string; description: string };

/** What the client sees of a failure, beside its reason, its message and its metadata. */
type ClientDetails = {
  /** Replaces the advice of the reason, if more is known. */
  retry?: Retry;
  /** Whole seconds after which the client may ask again: RetryInfo and `Retry-After`. */
  retryAfterSeconds?: number;
  /** The fields of the request that are not valid. */
  fieldViolations?: FieldViolation[];
  /** Present if the generation was debited. */
  receipt?: Receipt;
};

/** What only the server uses. None of it is in the body of the answer. */
type InternalDetails = {
  /** For the log. */
  cause?: unknown;
  /** Extra headers of the response, such as `Allow`. */
  headers?: Record<string, string>;
  /** Decides whether the model or the image store is retried, and whether the next model is used. */
  providerFailure?: ProviderFailure;
  /** What the provider bills for the failed call, in micro-dollars. */
  providerCostMicros?: number;
  /** How many calls were made to models. */
  attempts?: number;
};

type SharedDetails = ClientDetails & InternalDetails;

export type FailureDetails = SharedDetails & { metadata?: Record<string, string> };

/** The arguments of a Failure with this reason. The details can be left out unless `metadata` is required. */
type ArgumentsFor<R extends Reason> =
  ReasonMetadata<R> extends { metadata: object }
    ? [reason: R, message: string, details: SharedDetails & ReasonMetadata<R>]
    : [reason: R, message: string, details?: SharedDetails & ReasonMetadata<R>];

/** A union with one tuple for each reason, so that the metadata has to fit the reason. */
type FailureArguments = { [R in Reason]: ArgumentsFor<R> }[Reason];

/** How a model failed. The image store uses the kinds `passing` and `tooLarge` only. */
export type ProviderFailure = {
  /**
   * `minute` and `day`: that quota is used up. `billing`: the model does not answer until somebody pays. `retired`:
   * the model is gone. `overloaded` and `passing`: the same call may succeed later. `silent`: no answer in time.
   * `refused`: this model refuses the call, another may not. `unusable`: the reply has no image, or one of the wrong
   * shape or a broken one; the next model is asked once, then the request fails with the failure. `final`: no retry
   * helps. `tooLarge`: the image store takes no file of this size.
   */
  kind:
    | 'minute'
    | 'day'
    | 'billing'
    | 'retired'
    | 'overloaded'
    | 'passing'
    | 'silent'
    | 'refused'
    | 'unusable'
    | 'tooLarge'
    | 'final';
  /** True if the whole project is affected, and so every model. */
  isWholeProject?: boolean;
  /** After how many milliseconds the provider says that a retry may help. */
  retryAfterMs?: number;
  /** True if the model may have generated an image in spite of the failure, which is then billed. */
  mayBeBilled?: boolean;
};

/** The project's only error class: a reason of the closed set, and a message for a person. */
export class Failure extends Error {
  readonly reason: Reason;
  readonly details: FailureDetails;

  constructor(...[reason, message, details = {}]: FailureArguments) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.reason = reason;
    this.details = details;
  }

  /** A copy with further details. The metadata stays. */
  with(details: SharedDetails): Failure {
    return toFailureUnchecked(this.reason, this.message, { ...this.details, ...details });
  }
}

/** For metadata that was checked when the failure was first thrown. */
function toFailureUnchecked(reason: Reason, message: string, details: FailureDetails): Failure {
  return new Failure(...([reason, message, details] as FailureArguments));
}

/** Any thrown value as a Failure. Other errors become INTERNAL and keep their cause for the log. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('INTERNAL', internalMessage, { cause: error });
}

/** Adds the address of support to a refusal that has a place for it: one that only support can end. */
export function withSupport(failure: Failure, supportEmail: string | undefined): Failure {
  const { reason, message, details } = failure;
  if (!supportEmail || !getReasonRow(reason).optionalMetadata?.supportEmail) return failure;
  return toFailureUnchecked(reason, message, { ...details, metadata: { ...details.metadata, supportEmail } });
}

/** Adds the id of a generation that was debited, or may have been: the support code. */
export function withGeneration(failure: Failure, generationId: string): Failure {
  const { reason, message, details } = failure;
  return toFailureUnchecked(reason, message, { ...details, metadata: { ...details.metadata, generationId } });
}

/** A failure as it was stored. Becomes INTERNAL if there is none, or if its reason no longer exists. */
export function restoreFailure(
  stored: { reason: string; message: string; metadata?: Record<string, string> | undefined } | null,
): Failure {
  if (!stored || !isReason(stored.reason)) return new Failure('INTERNAL', internalMessage);
  const { reason, message, metadata } = stored;
  return toFailureUnchecked(reason, message, metadata ? { metadata } : {});
}

/** False for a reason of an earlier version. */
export const isReason = (reason: string): reason is Reason => Object.hasOwn(reasons, reason);

/** The refusal of a request that is not valid. The message describes the first violation. */
export function invalidRequest(fieldViolations: FieldViolation[]): Failure {
  const [first] = fieldViolations;
  const message = first ? `${first.field} ${first.description}.` : 'The request is not valid.';
  return new Failure('INVALID_REQUEST', message, { fieldViolations });
}

/** The HTTP status, headers and body of a failure, in Google's API error model. */
export function errorAnswer(failure: Failure) {
  const { httpStatus: code, status, retry: retryDefault } = reasons[failure.reason];
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
