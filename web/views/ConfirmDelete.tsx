import { useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Dialog } from '../components/Dialog.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';

type Props = { generation: Generation; onClose: () => void; onDeleted: () => void };

/** Asks for confirmation before an image is deleted permanently. */
export function ConfirmDelete({ generation: { id, prompt }, onClose, onDeleted }: Props) {
  const { deleteImage } = usePageState();
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function remove(): Promise<void> {
    setIsBusy(true);
    try {
      await deleteImage(id);
      announce(text.deleting.done);
      onDeleted();
    } catch (error) {
      setProblem(problemText(error));
      setIsBusy(false);
    }
  }

  return (
    <Dialog title={text.deleting.title} class="sheet" describedBy="delete-consequence" onClose={onClose}>
      <h2>{text.deleting.title}</h2>
      <blockquote class="clamp" dir="auto">
        {prompt}
      </blockquote>
      <p id="delete-consequence">{text.deleting.consequence}</p>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row end">
        {/* The first button gets the focus, so it must be the harmless one. */}
        <button type="button" onClick={onClose}>
          {text.deleting.keep}
        </button>
        <button type="button" class="danger" disabled={isBusy} onClick={() => void remove()}>
          {text.deleting.confirm}
        </button>
      </div>
    </Dialog>
  );
}
