import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { problemText } from '../words.ts';
import { Icon } from './Icon.tsx';

/** Asks for a better prompt, which the user takes, changes or leaves. */
export function Improve() {
  const { client, draft } = usePageState();
  const [better, setBetter] = useState<string | undefined>();
  const [asking, setAsking] = useState<AbortController | undefined>();
  const field = useRef<HTMLTextAreaElement>(null);
  const isShown = better !== undefined;
  useEffect(() => {
    if (isShown) field.current?.focus();
  }, [isShown]);

  async function improve(): Promise<void> {
    const abort = new AbortController();
    setAsking(abort);
    announce('Looking for a better prompt.', false);
    try {
      const { prompt, enhanced } = await client.enhance(draft.prompt.value, { signal: abort.signal });
      if (enhanced) setBetter(prompt);
      announce(
        enhanced ? 'Here is a better prompt.' : 'No better prompt was found; yours is fine.',
        !enhanced,
      );
    } catch (error) {
      if (!abort.signal.aborted) announce(problemText(error));
    } finally {
      setAsking(undefined);
    }
  }

  const cancel = () => {
    asking?.abort();
    announce('Cancelled. Your prompt is as it was.');
  };
  const close = () => {
    setBetter(undefined);
    document.getElementById('prompt')?.focus();
  };
  const use = () => {
    draft.ownPrompt.value ??= draft.prompt.value;
    draft.prompt.value = better ?? '';
    close();
  };
  const goBack = () => {
    draft.prompt.value = draft.ownPrompt.value ?? '';
    draft.ownPrompt.value = undefined;
    document.getElementById('prompt')?.focus();
  };

  if (better !== undefined) {
    return (
      <fieldset class="better">
        <legend>A better prompt</legend>
        <textarea
          aria-label="Better prompt"
          rows={6}
          ref={field}
          value={better}
          onInput={(event) => setBetter(event.currentTarget.value)}
        />
        <div class="row">
          <button type="button" class="primary" disabled={better.trim() === ''} onClick={use}>
            Use this prompt
          </button>
          <button type="button" onClick={close}>
            Keep mine
          </button>
        </div>
      </fieldset>
    );
  }
  return (
    <div class="row">
      <button
        type="button"
        aria-disabled={!asking && draft.prompt.value.trim() === ''}
        onClick={() => {
          if (asking) cancel();
          else if (draft.prompt.value.trim() !== '') void improve();
        }}
      >
        <Icon name="spark" />
        {asking ? 'Cancel improving' : 'Improve prompt'}
      </button>
      {draft.ownPrompt.value !== undefined && !asking && (
        <button type="button" class="text" onClick={goBack}>
          Back to my own prompt
        </button>
      )}
    </div>
  );
}
