import { useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { problemText } from '../words.ts';
import { Dialog } from './Dialog.tsx';

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
      announce('Image deleted.');
      onDeleted();
    } catch (error) {
      setProblem(problemText(error));
      setIsBusy(false);
    }
  }

  return (
    <Dialog title="Delete this image?" class="sheet" onClose={onClose}>
      <h2>Delete this image?</h2>
      <blockquote class="clamp">{prompt}</blockquote>
      <p>The image and its prompt are deleted permanently. Its credits are not refunded.</p>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row end">
        {/* The first button gets the focus, so it must be the harmless one. */}
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={isBusy} onClick={() => void remove()}>
          Delete image
        </button>
      </div>
    </Dialog>
  );
}
