import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Button } from '../components/Button.tsx';
import { OutsideLink } from '../components/OutsideLink.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';
import { studioText } from '../strings/studio.ts';

/** Makes an image public under a link, passes the link on, and makes the image private again. */
export function Sharing({ generation: { id, shareUrl } }: { generation: Generation }) {
  const { shareImage } = usePageState();
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const buttons = useRef<HTMLDivElement>(null);
  const isAsked = useRef(false);
  useLayoutEffect(() => {
    // The pressed button makes the image private now: a second Enter must not.
    const [copyButton, pressed] = [buttons.current?.firstElementChild, buttons.current?.lastElementChild];
    if (shareUrl && isAsked.current && document.activeElement === pressed)
      (copyButton as HTMLElement | null)?.focus();
    isAsked.current = false;
  }, [shareUrl]);

  async function share(shared: boolean): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    setProblem('');
    isAsked.current = shared;
    try {
      await shareImage(id, shared);
      announce(shared ? studioText.sharing.isPublic : studioText.sharing.isPrivate);
    } catch (error) {
      isAsked.current = false;
      setProblem(problemText(error));
    }
    setIsBusy(false);
  }
  const copyLink = async () => {
    try {
      await navigator.clipboard.writeText(shareUrl ?? '');
      announce(studioText.sharing.publicLinkCopied);
    } catch {
      announce(text.common.actionFailed(studioText.sharing.copyPublicLink));
    }
  };
  /** The system's own dialog, mostly on phones. It rejects if the user closes it. */
  const passOn = () => void navigator.share({ url: shareUrl ?? '' }).catch(() => {});

  return (
    <section class="action-group" aria-label={studioText.sharing.title}>
      <h2>{studioText.sharing.title}</h2>
      <p class="hint">
        {shareUrl ? (
          <>
            {studioText.sharing.anyoneWith}
            <OutsideLink href={shareUrl}>
              {studioText.sharing.thisLink}
              <span class="visually-hidden"> {studioText.sharing.inNewTab}</span>
            </OutsideLink>
            {studioText.sharing.canSee}
          </>
        ) : (
          studioText.sharing.onlyYou
        )}
      </p>
      <div class="buttons" ref={buttons}>
        {shareUrl && (
          <Button icon="copy" onClick={() => void copyLink()}>
            {studioText.sharing.copyPublicLink}
          </Button>
        )}
        {shareUrl && 'share' in navigator && (
          <Button icon="share" onClick={passOn}>
            {studioText.sharing.passOn}
          </Button>
        )}
        {/* One button, so that the focus stays when sharing ends. */}
        <Button
          icon={shareUrl ? 'lock' : 'link'}
          aria-disabled={isBusy}
          onClick={() => void share(!shareUrl)}
        >
          {shareUrl ? studioText.sharing.makePrivate : studioText.sharing.share}
        </Button>
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
