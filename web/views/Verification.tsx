import { useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { checkVerification, sendVerification, signInProblem, user } from '../state/session.ts';

/** Asks the user to confirm the e-mail address: without that, an account gets no free credits. */
export function Verification() {
  const { account } = usePageState();
  const [isBusy, setIsBusy] = useState(false);
  if (!user.value?.needsVerification) return null;

  async function attempt(action: () => Promise<string>): Promise<void> {
    setIsBusy(true);
    announce(await action().catch(signInProblem));
    setIsBusy(false);
  }
  const sendAgain = async () => {
    await sendVerification();
    return 'We sent the e-mail again.';
  };
  const check = async () => {
    if (!(await checkVerification())) return 'The address is not confirmed yet.';
    await account.load();
    return 'Thank you. Your address is confirmed.';
  };

  return (
    <section class="bar" aria-label="Confirm your address">
      <p>Please confirm {user.value.email} with the link in the e-mail we sent you.</p>
      <div class="row">
        <button type="button" disabled={isBusy} onClick={() => void attempt(sendAgain)}>
          Send the e-mail again
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void attempt(check)}>
          I have confirmed
        </button>
      </div>
    </section>
  );
}
