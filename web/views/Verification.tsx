import { useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { checkVerification, sendVerification, signInProblem, user } from '../state/session.ts';
import { text } from '../strings/en.ts';

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
    return text.verification.sent;
  };
  const check = async () => {
    if (!(await checkVerification())) return text.verification.notYet;
    await account.load();
    return text.verification.thanks;
  };

  return (
    <section class="bar" aria-label={text.verification.title}>
      <p>{text.verification.please(user.value.email)}</p>
      <div class="row">
        <button type="button" disabled={isBusy} onClick={() => void attempt(sendAgain)}>
          {text.verification.sendAgain}
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void attempt(check)}>
          {text.verification.haveConfirmed}
        </button>
      </div>
    </section>
  );
}
