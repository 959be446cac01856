import { useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { usePageState } from '../state/pageState.ts';
import { deleteSelected } from '../state/selectionActions.ts';
import { selecting as selectingText } from '../strings/en/selecting.ts';

/** Asks for confirmation before the selected images are deleted permanently. */
export function DeleteSelected({ onClose }: { onClose: () => void }) {
  const pageState = usePageState();
  const { selected, work, isOn } = pageState.selection;
  const [failed, setFailed] = useState(0);
  const count = selected.value.length;
  const progress = work.value;

  async function remove(): Promise<void> {
    if (progress) return;
    const left = await deleteSelected(pageState);
    if (left === 0) onClose();
    else setFailed(left);
  }
  const question = selectingText.question(progress?.total ?? count);
  return (
    <Dialog
      title={question}
      class="sheet"
      onClose={onClose}
      // The selection ends with its images.
      focusAfter={() => document.querySelector(isOn.peek() ? '.selection .bin' : '#gallery-title')}
    >
      <h2>{question}</h2>
      <p>{selectingText.consequence}</p>
      {progress && <p role="status">{selectingText.progress(progress.done, progress.total)}</p>}
      {failed > 0 && !progress && (
        <p class="problem" role="alert">
          {selectingText.notAll(failed)}
        </p>
      )}
      <div class="row end">
        {/* The first button gets the focus, so it must be the harmless one. */}
        <Button onClick={onClose}>{selectingText.keep}</Button>
        <Button kind="danger" aria-disabled={progress !== undefined} onClick={() => void remove()}>
          {selectingText.confirm}
        </Button>
      </div>
    </Dialog>
  );
}
