import { useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { announce } from '../state/announce.ts';
import { sendVerification, signInProblem } from '../state/session.ts';
import { firstText as text } from '../strings/first.ts';

/** A button that sends the e-mail again with which the user confirms the address. */
export function SendConfirmation() {
  const [isBusy, setIsBusy] = useState(false);
  const send = async () => {
    if (isBusy) return;
    setIsBusy(true);
    announce(await sendVerification().then(() => text.common.sent, signInProblem));
    setIsBusy(false);
  };
  return (
    <Button aria-disabled={isBusy} onClick={() => void send()}>
      {text.common.sendAgain}
    </Button>
  );
}
