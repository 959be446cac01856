import { useState } from 'preact/hooks';
import { Dialog } from '../components/Dialog.tsx';
import { OutsideLink } from '../components/OutsideLink.tsx';
import { usePageState } from '../state/pageState.ts';
import { terms as termsText } from '../strings/en/terms.ts';

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
    <Dialog title={termsText.title} class="sheet" onClose={terms.decline}>
      <h2>{termsText.title}</h2>
      <p>
        {termsText.readAndAccept}
        <OutsideLink href={termsUrl}>{termsText.terms}</OutsideLink>.
        {privacyUrl && (
          <>
            {termsText.the}
            <OutsideLink href={privacyUrl}>{termsText.privacy}</OutsideLink>
            {termsText.saysWhatWeKeep}
          </>
        )}
      </p>
      <p>{termsText.age}</p>
      {terms.problem.value && (
        <p class="problem" role="alert">
          {terms.problem.value}
        </p>
      )}
      <div class="row end">
        {/* The first button gets the focus, so it must be the harmless one. */}
        <button type="button" onClick={terms.decline}>
          {termsText.notNow}
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void accept()}>
          {termsText.accept}
        </button>
      </div>
    </Dialog>
  );
}
