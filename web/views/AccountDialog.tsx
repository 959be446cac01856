import { Dialog } from '../components/Dialog.tsx';
import { OutsideLink } from '../components/OutsideLink.tsx';
import { usePageState } from '../state/pageState.ts';
import { user } from '../state/session.ts';
import { text } from '../strings/en.ts';
import { wholeTimeText } from '../strings/format.ts';
import { CloseAccount } from './CloseAccount.tsx';
import { ContactSupport } from './ContactSupport.tsx';

type Props = { onClose: () => void; focusAfter: () => HTMLElement | null };

/** The user's account: the terms, how to reach support, the export of the user's data, and the end of it all. */
export function AccountDialog({ onClose, focusAfter }: Props) {
  const { account } = usePageState();
  const terms = account.terms.value;
  return (
    <Dialog title={text.account.title} class="sheet" onClose={onClose} focusAfter={focusAfter}>
      <h2>{text.account.title}</h2>
      <p class="quiet">{user.value?.email}</p>
      <ExportButtons />
      {terms?.acceptedAt && <p>{text.account.termsAccepted(wholeTimeText(terms.acceptedAt))}</p>}
      {(terms?.termsUrl || terms?.privacyUrl) && (
        <p class="row">
          {terms.termsUrl && <OutsideLink href={terms.termsUrl}>{text.account.terms}</OutsideLink>}
          {terms.privacyUrl && <OutsideLink href={terms.privacyUrl}>{text.account.privacy}</OutsideLink>}
        </p>
      )}
      {account.supportEmail.value && (
        <p>
          {text.account.support}
          <ContactSupport />
        </p>
      )}
      <CloseAccount />
      <div class="row end">
        <button type="button" onClick={onClose}>
          {text.common.close}
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
            ? text.account.reading
            : text.account.exportProgress(progress.done, progress.total)}
        </p>
        {progress.total !== undefined && (
          <progress
            aria-label={text.account.images}
            value={progress.done}
            max={Math.max(1, progress.total)}
          />
        )}
        <div class="row">
          <button type="button" onClick={dataExport.cancel}>
            {text.account.cancelExport}
          </button>
        </div>
      </>
    );
  }
  return (
    <>
      <p>{text.account.exportExplained}</p>
      <div class="row">
        <button type="button" onClick={() => void dataExport.saveJson()}>
          {text.account.exportData}
        </button>
        <button type="button" onClick={() => void dataExport.saveZip()}>
          {text.account.exportWithImages}
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
  missing === 0 ? text.account.exported : text.account.exportedWithout(missing);
