import { useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { problemText } from '../words.ts';
import { Dialog } from './Dialog.tsx';

type Props = { generation: Generation; onClose: () => void; onDeleted: () => void };

/** Asks before an image is deleted for good, quoting its prompt. */
export function ConfirmDelete({ generation: { id, prompt }, onClose, onDeleted }: Props) {
  const { deleteImage } = usePageState();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function remove(): Promise<void> {
    setBusy(true);
    try {
      await deleteImage(id);
      announce('The image is deleted.');
      onDeleted();
    } catch (error) {
      setProblem(problemText(error));
      setBusy(false);
    }
  }

  return (
    <Dialog title="Delete this image?" class="sheet" onClose={onClose}>
      <h2>Delete this image?</h2>
      <blockquote class="clamp">{prompt}</blockquote>
      <p>The image and its prompt will be gone for good. What it cost is not given back.</p>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row end">
        {/* The first one gets the focus: the harmless answer. */}
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={busy} onClick={() => void remove()}>
          Delete image
        </button>
      </div>
    </Dialog>
  );
}
