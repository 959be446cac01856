import { useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Icon } from '../components/Icon.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';

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
      announce(shared ? text.sharing.isPublic : text.sharing.isPrivate);
    } catch (error) {
      setProblem(problemText(error));
    }
    setIsBusy(false);
  }
  const copyLink = async () => {
    await navigator.clipboard.writeText(shareUrl ?? '');
    announce(text.sharing.publicLinkCopied);
  };

  return (
    <section class="actions" aria-label={text.sharing.title}>
      {shareUrl && (
        <p class="quiet">
          {text.sharing.anyoneWith}
          <a href={shareUrl}>{text.sharing.thisLink}</a>
          {text.sharing.canSee}
        </p>
      )}
      {shareUrl && (
        <button type="button" onClick={() => void copyLink()}>
          <Icon name="copy" />
          {text.sharing.copyPublicLink}
        </button>
      )}
      <button type="button" disabled={isBusy} onClick={() => void share(!shareUrl)}>
        <Icon name={shareUrl ? 'close' : 'link'} />
        {shareUrl ? text.sharing.makePrivate : text.sharing.share}
      </button>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
