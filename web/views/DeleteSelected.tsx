import { useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { usePageState } from '../state/pageState.ts';
import { deleteSelected } from '../state/selectionActions.ts';
import { selecting as selectingText } from '../strings/en/selecting.ts';

/** Asks for confirmation before the selected images are deleted permanently. */
export function DeleteSelected({ onClose }: { onClose: () => void }) {
  const pageState = usePageState();
  const { selected, work } = pageState.selection;
  const [failed, setFailed] = useState(0);
  const count = selected.value.length;
  const progress = work.value;

  async function remove(): Promise<void> {
    if (progress) return;
    const left = await deleteSelected(pageState);
    if (left === 0) onClose();
    else setFailed(left);
  }
  return (
    <Dialog
      title={selectingText.deleteTitle}
      class="sheet"
      onClose={onClose}
      focusAfter={() => document.querySelector('.gallery-tools button')}
    >
      <h2>{selectingText.question(progress?.total ?? count)}</h2>
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
