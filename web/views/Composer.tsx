import { useEffect, useRef } from 'preact/hooks';
import { promptCharactersMax } from '../limits.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { credits } from '../words.ts';
import { Improve } from './Improve.tsx';
import { References } from './References.tsx';
import { OrientationPicker, TierPicker } from './TierPicker.tsx';

/** The form for a new image. It stays usable while other images are generated. */
export function Composer() {
  const { draft, account, pendingGenerations } = usePageState();
  const field = useGrowingField(draft.prompt.value);
  const price = account.tiers.value.find(({ id }) => id === draft.tier.value)?.credits;
  const length = [...draft.prompt.value].length;
  const isTooLong = length > promptCharactersMax;
  const canSubmit = price !== undefined && draft.prompt.value.trim() !== '' && !isTooLong;

  function submit(event: Event): void {
    event.preventDefault();
    if (!canSubmit) return;
    const own = draft.ownPrompt.value;
    pendingGenerations.submit(draft.toRequest(), own === draft.prompt.value ? undefined : own);
    announce('Your image is being generated.', false);
  }

  /** A held-down key and a double click submit the form only once. */
  const submitOnce = (event: KeyboardEvent) => {
    const isNewLine = event.target instanceof HTMLTextAreaElement && !event.ctrlKey && !event.metaKey;
    if (event.key !== 'Enter' || isNewLine) return;
    if (event.repeat) event.preventDefault();
    else if (event.target === field.current) submit(event);
  };
  const clickOnce = (event: MouseEvent) => {
    if (event.detail > 1) event.preventDefault();
  };

  return (
    <form class="composer" aria-label="New image" onSubmit={submit} onKeyDown={submitOnce}>
      <div class="prompt">
        <label for="prompt">Prompt</label>
        <textarea
          id="prompt"
          ref={field}
          rows={4}
          placeholder="A banana in a space suit, reading the newspaper on the moon …"
          value={draft.prompt.value}
          aria-describedby={isTooLong ? 'prompt-problem' : undefined}
          aria-invalid={isTooLong}
          onInput={(event) => {
            draft.prompt.value = event.currentTarget.value;
          }}
        />
        {isTooLong && (
          <p class="problem" id="prompt-problem" role="alert">
            {length - promptCharactersMax} characters too many. The limit is {promptCharactersMax}.
          </p>
        )}
      </div>
      <Improve />
      <TierPicker />
      <OrientationPicker />
      <References />
      <div class="ask">
        <button type="submit" class="primary wide" aria-disabled={!canSubmit} onClick={clickOnce}>
          {price === undefined ? 'Generate' : `Generate · ${credits(price)}`}
        </button>
        <p class="hint">
          <kbd>Ctrl</kbd> or <kbd>⌘</kbd> and <kbd>Enter</kbd> in the prompt
        </p>
      </div>
    </form>
  );
}

/** Makes the text area as high as its text, up to the maximum height in its style. */
function useGrowingField(text: string) {
  const field = useRef<HTMLTextAreaElement>(null);
  // For browsers without `field-sizing`.
  useEffect(() => {
    if (!field.current || CSS.supports('field-sizing', 'content')) return;
    field.current.style.height = 'auto';
    field.current.style.height = `${field.current.scrollHeight + 2}px`;
  }, [text]);
  return field;
}
