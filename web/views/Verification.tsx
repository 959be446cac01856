import { useEffect, useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { checkVerification, signInProblem, user } from '../state/session.ts';
import { loadStudioInfo, studioInfo } from '../state/studioInfo.ts';
import { verification as verificationText } from '../strings/en/verification.ts';
import { text } from '../strings/en.ts';
import { SendConfirmation } from './SendConfirmation.tsx';

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

  async function check(): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    const answer = isConfirmed().then((isDone) =>
      isDone ? verificationText.thanks : verificationText.notYet,
    );
    announce(await answer.catch(signInProblem));
    setIsBusy(false);
  }
  const { signupCredits = 0 } = studioInfo.value ?? {};
  const { please, brings, bringsFree } = verificationText;

  return (
    <section class="bar" aria-label={verificationText.title}>
      <p>
        {please(email)} {signupCredits > 0 ? bringsFree(text.common.credits(signupCredits)) : brings}
      </p>
      <div class="row">
        <SendConfirmation />
        <Button kind="primary" aria-disabled={isBusy} onClick={() => void check()}>
          {verificationText.haveConfirmed}
        </Button>
      </div>
    </section>
  );
}
