import { useEffect, useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { checkVerification, sendVerification, signInProblem, user } from '../state/session.ts';
import { loadStudioInfo, studioInfo } from '../state/studioInfo.ts';
import { verification as verificationText } from '../strings/en/verification.ts';
import { text } from '../strings/en.ts';

/** Asks the user to confirm the e-mail address: without that, an account gets no free credits. */
export function Verification() {
  return user.value?.needsVerification ? <Question email={user.value.email} /> : null;
}

function Question({ email }: { email: string }) {
  const { account } = usePageState();
  const [isBusy, setIsBusy] = useState(false);
  useEffect(() => {
    void loadStudioInfo();
    // The user comes back from the mail.
    const lookAgain = () => {
      if (!document.hidden) void isConfirmed().catch(() => {});
    };
    document.addEventListener('visibilitychange', lookAgain);
    return () => document.removeEventListener('visibilitychange', lookAgain);
  }, []);

  async function isConfirmed(): Promise<boolean> {
    if (!(await checkVerification())) return false;
    await account.load();
    return true;
  }

  async function attempt(action: () => Promise<string>): Promise<void> {
    setIsBusy(true);
    announce(await action().catch(signInProblem));
    setIsBusy(false);
  }
  const sendAgain = async () => {
    await sendVerification();
    return verificationText.sent;
  };
  const check = async () => ((await isConfirmed()) ? verificationText.thanks : verificationText.notYet);
  const { signupCredits = 0 } = studioInfo.value ?? {};
  const { please, brings, bringsFree } = verificationText;

  return (
    <section class="bar" aria-label={verificationText.title}>
      <p>
        {please(email)} {signupCredits > 0 ? bringsFree(text.common.credits(signupCredits)) : brings}
      </p>
      <div class="row">
        <button type="button" disabled={isBusy} onClick={() => void attempt(sendAgain)}>
          {verificationText.sendAgain}
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void attempt(check)}>
          {verificationText.haveConfirmed}
        </button>
      </div>
    </section>
  );
}
