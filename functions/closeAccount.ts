import { closeAccountAnswerSchema, closeAccountRequestSchema } from '../shared/contract/account.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { Failure } from '../shared/errors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { beginClosing } from '../shared/ledger/beginClosing.ts';
import { continueClosing, createCloser } from '../shared/people/closing.ts';

/** How old a sign-in may be, milliseconds. */
const signInMsMax = 300_000;
/** How long the call itself works on the closing, milliseconds. The sweep does the rest. */
const workMsMax = 20_000;

/** Closes the caller's account: erases the person and keeps the ledger. */
export const closeAccount = endpoint({
  method: 'POST',
  access: 'user',
  input: closeAccountRequestSchema,
  answer: closeAccountAnswerSchema,
  limit: readLimit,
  async run({ caller, log }, services) {
    const { clock } = services;
    if (clock.now() - caller.signedInAt.getTime() > signInMsMax) {
      throw new Failure('SIGN_IN_AGAIN', 'Please sign in again to close your account.');
    }
    const ledger = await services.ledger();
    await beginClosing(ledger, caller.uid, caller);
    const endsAt = clock.elapsed() + workMsMax;
    const closer = await createCloser(services);
    const status = await continueClosing(closer, caller.uid, () => clock.elapsed() < endsAt).catch(
      (error) => {
        // The account is closed to everything that costs credits, and the sweep goes on.
        services.log.warning('A closing goes on later', { uid: caller.uid, cause: String(error) });
        return 'closing' as const;
      },
    );
    log.add({ closing: status });
    return { body: { status } };
  },
});
