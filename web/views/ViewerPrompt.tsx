import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Button, IconButton } from '../components/Button.tsx';
import { announce } from '../state/announce.ts';
import { text } from '../strings/en.ts';
import { studioText } from '../strings/studio.ts';

/** The prompt that the model got, and the user's own one if it was improved. */
export function ViewerPrompt({ generation }: { generation: Generation }) {
  const { id, prompt, originalPrompt, enhancedPrompt } = generation;
  if (prompt === null) return null;
  const sent = enhancedPrompt ?? prompt;
  const own = originalPrompt ?? prompt;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(sent);
      announce(studioText.viewer.promptCopied);
    } catch {
      announce(text.common.actionFailed(studioText.viewer.copyPrompt));
    }
  };
  return (
    <section class="facts">
      <div class="row between">
        <h2>{own === sent ? studioText.viewer.prompt : studioText.viewer.improvedPrompt}</h2>
        <IconButton
          icon="copy"
          label={studioText.viewer.copyPrompt}
          isSmall
          look="plain"
          onClick={() => void copy()}
        />
      </div>
      <LongText key={`sent-${id}`} words={sent} />
      {own !== sent && (
        <>
          <h2>{studioText.viewer.ownPrompt}</h2>
          <LongText key={`own-${id}`} words={own} isQuiet />
        </>
      )}
    </section>
  );
}

/** The first lines of a long text, so that the actions under it stay in sight. */
function LongText({ words, isQuiet }: { words: string; isQuiet?: boolean }) {
  const paragraph = useRef<HTMLParagraphElement>(null);
  const [isLong, setIsLong] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  useLayoutEffect(() => {
    const element = paragraph.current;
    if (!element || isOpen) return;
    const measure = () => setIsLong(element.scrollHeight > element.clientHeight + 1);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [isOpen, words]);
  return (
    <>
      <p
        ref={paragraph}
        class={['prompt-text', isQuiet && 'quiet', !isOpen && 'clamp'].filter(Boolean).join(' ')}
        dir="auto"
      >
        {words}
      </p>
      {isLong && (
        <Button kind="text" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? studioText.viewer.showLess : studioText.viewer.showAll}
        </Button>
      )}
    </>
  );
}
