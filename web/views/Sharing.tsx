import { useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { problemText } from '../words.ts';
import { Icon } from './Icon.tsx';

/** Makes an image public under a link, and private again. */
export function Sharing({ generation: { id, shareUrl } }: { generation: Generation }) {
  const { shareImage } = usePageState();
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function share(shared: boolean): Promise<void> {
    setIsBusy(true);
    setProblem('');
    try {
      await shareImage(id, shared);
      announce(shared ? 'Anyone with the link can see this image now.' : 'The image is private again.');
    } catch (error) {
      setProblem(problemText(error));
    }
    setIsBusy(false);
  }
  const copyLink = async () => {
    await navigator.clipboard.writeText(shareUrl ?? '');
    announce('Public link copied.');
  };

  return (
    <section class="actions" aria-label="Sharing">
      {shareUrl && (
        <p class="quiet">
          Anyone with <a href={shareUrl}>this link</a> can see the image, but not its prompt.
        </p>
      )}
      {shareUrl && (
        <button type="button" onClick={() => void copyLink()}>
          <Icon name="copy" />
          Copy public link
        </button>
      )}
      <button type="button" disabled={isBusy} onClick={() => void share(!shareUrl)}>
        <Icon name={shareUrl ? 'close' : 'link'} />
        {shareUrl ? 'Make private' : 'Share'}
      </button>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
