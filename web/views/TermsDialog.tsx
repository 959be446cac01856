import { useState } from 'preact/hooks';
import { usePageState } from '../state/pageState.ts';
import { Dialog } from './Dialog.tsx';
import { OutsideLink } from './OutsideLink.tsx';

/** Asks the user to accept the terms, when they want something that needs it. */
export function TermsDialog() {
  const { terms, account } = usePageState();
  const [isBusy, setIsBusy] = useState(false);
  if (terms.question.value === undefined) return null;
  const { termsUrl, privacyUrl } = account.terms.value ?? {};

  async function accept(): Promise<void> {
    setIsBusy(true);
    await terms.accept();
    setIsBusy(false);
  }

  return (
    <Dialog title="Before you start" class="sheet" onClose={terms.decline}>
      <h2>Before you start</h2>
      <p>
        Please read and accept the <OutsideLink href={termsUrl}>terms</OutsideLink>.
        {privacyUrl && (
          <>
            {' '}
            The <OutsideLink href={privacyUrl}>privacy policy</OutsideLink> says what we keep about you.
          </>
        )}
      </p>
      <p>By accepting, you confirm that you are 18 or older.</p>
      {terms.problem.value && (
        <p class="problem" role="alert">
          {terms.problem.value}
        </p>
      )}
      <div class="row end">
        {/* The first button gets the focus, so it must be the harmless one. */}
        <button type="button" onClick={terms.decline}>
          Not now
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void accept()}>
          Accept and continue
        </button>
      </div>
    </Dialog>
  );
}
