import { useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { checkVerification, sendVerification, signInProblem, user } from '../state/session.ts';

/** Until its address is confirmed an account gets no free credits: says so, and how to mend it. */
export function Verification() {
  const { account } = usePageState();
  const [busy, setBusy] = useState(false);
  if (!user.value?.needsVerification) return null;

  async function attempt(action: () => Promise<string>): Promise<void> {
    setBusy(true);
    announce(await action().catch(signInProblem));
    setBusy(false);
  }
  const sendAgain = async () => {
    await sendVerification();
    return 'The mail is on its way.';
  };
  const check = async () => {
    if (!(await checkVerification())) return 'The address is not confirmed yet.';
    await account.load();
    return 'Thank you. Your address is confirmed.';
  };

  return (
    <section class="bar" aria-label="Confirm your address">
      <p>Please confirm {user.value.email} with the link in the mail we sent you.</p>
      <div class="row">
        <button type="button" disabled={busy} onClick={() => void attempt(sendAgain)}>
          Send the mail again
        </button>
        <button type="button" class="primary" disabled={busy} onClick={() => void attempt(check)}>
          I have confirmed
        </button>
      </div>
    </section>
  );
}
