import { usePageState } from '../state/pageState.ts';
import { user } from '../state/session.ts';
import { wholeTimeText } from '../words.ts';
import { CloseAccount } from './CloseAccount.tsx';
import { ContactSupport } from './ContactSupport.tsx';
import { Dialog } from './Dialog.tsx';
import { OutsideLink } from './OutsideLink.tsx';

type Props = { onClose: () => void; focusAfter: () => HTMLElement | null };

/** The user's account: the terms, how to reach support, the export of the user's data, and the end of it all. */
export function AccountDialog({ onClose, focusAfter }: Props) {
  const { account } = usePageState();
  const terms = account.terms.value;
  return (
    <Dialog title="Your account" class="sheet" onClose={onClose} focusAfter={focusAfter}>
      <h2>Your account</h2>
      <p class="quiet">{user.value?.email}</p>
      <ExportButtons />
      {terms?.acceptedAt && <p>You accepted the terms on {wholeTimeText(terms.acceptedAt)}.</p>}
      {(terms?.termsUrl || terms?.privacyUrl) && (
        <p class="row">
          {terms.termsUrl && <OutsideLink href={terms.termsUrl}>Terms</OutsideLink>}
          {terms.privacyUrl && <OutsideLink href={terms.privacyUrl}>Privacy policy</OutsideLink>}
        </p>
      )}
      {account.supportEmail.value && (
        <p>
          Support: <ContactSupport />
        </p>
      )}
      <CloseAccount />
      <div class="row end">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** The export goes on if the dialog closes. */
function ExportButtons() {
  const { dataExport } = usePageState();
  const progress = dataExport.progress.value;
  if (progress.state === 'running') {
    return (
      <>
        <p>
          {progress.total === undefined
            ? 'Reading your data …'
            : `${progress.done} of ${progress.total} images …`}
        </p>
        {progress.total !== undefined && (
          <progress aria-label="Images" value={progress.done} max={Math.max(1, progress.total)} />
        )}
        <div class="row">
          <button type="button" onClick={dataExport.cancel}>
            Cancel export
          </button>
        </div>
      </>
    );
  }
  return (
    <>
      <p>
        You can save everything that the studio keeps about you: your account, credits, prompts and images.
      </p>
      <div class="row">
        <button type="button" onClick={() => void dataExport.saveJson()}>
          Export my data
        </button>
        <button type="button" onClick={() => void dataExport.saveZip()}>
          Export with images
        </button>
      </div>
      {progress.state === 'done' && <p role="status">{doneText(progress.missing)}</p>}
      {progress.state === 'failed' && (
        <p class="problem" role="alert">
          {progress.problem}
        </p>
      )}
    </>
  );
}

const doneText = (missing: number) =>
  missing === 0
    ? 'Your data is saved.'
    : `Your data is saved, but ${missing === 1 ? 'one image' : `${missing} images`} could not be fetched. The file missing-images.txt lists what is missing.`;
