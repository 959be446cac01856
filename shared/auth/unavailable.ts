/** What happens if Google, which knows the users and the keys, cannot be asked. */
import type { Log } from '../core/log.ts';
import { Failure } from '../errors.ts';

/** After how many seconds a caller may ask again. */
const retryAfterSeconds = 5;

/** The refusal of a caller who cannot be verified for now. */
export const signInsUnavailable = (cause: unknown) =>
  new Failure('AUTH_UNAVAILABLE', 'Sign-ins cannot be verified right now. Please try again.', {
    cause,
    retryAfterSeconds,
  });

/** One line for operators, for the alert `auth-unavailable`. */
export function logUnavailable(log: Log, message: string, error: unknown): void {
  log.warning(message, { event: 'auth_unavailable', cause: describeError(error) });
}

/** `fetch failed` alone does not say why. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? `${error.message}: ${code}` : error.message;
}
