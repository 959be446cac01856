import { useState } from 'preact/hooks';
import { Dialog } from '../components/Dialog.tsx';
import { OutsideLink } from '../components/OutsideLink.tsx';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';

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
    <Dialog title={text.terms.title} class="sheet" onClose={terms.decline}>
      <h2>{text.terms.title}</h2>
      <p>
        {text.terms.readAndAccept}
        <OutsideLink href={termsUrl}>{text.terms.terms}</OutsideLink>.
        {privacyUrl && (
          <>
            {text.terms.the}
            <OutsideLink href={privacyUrl}>{text.terms.privacy}</OutsideLink>
            {text.terms.saysWhatWeKeep}
          </>
        )}
      </p>
      <p>{text.terms.age}</p>
      {terms.problem.value && (
        <p class="problem" role="alert">
          {terms.problem.value}
        </p>
      )}
      <div class="row end">
        {/* The first button gets the focus, so it must be the harmless one. */}
        <button type="button" onClick={terms.decline}>
          {text.terms.notNow}
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void accept()}>
          {text.terms.accept}
        </button>
      </div>
    </Dialog>
  );
}
