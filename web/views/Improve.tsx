import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { problemText } from '../words.ts';
import { Icon } from './Icon.tsx';

/** Suggests an improved prompt, which the user can edit, use or reject. */
export function Improve() {
  const { client, draft } = usePageState();
  const [suggestion, setSuggestion] = useState<string | undefined>();
  const [request, setRequest] = useState<AbortController | undefined>();
  const field = useRef<HTMLTextAreaElement>(null);
  const isShown = suggestion !== undefined;
  useEffect(() => {
    if (isShown) field.current?.focus();
  }, [isShown]);

  async function improvePrompt(): Promise<void> {
    const abort = new AbortController();
    setRequest(abort);
    announce('Improving your prompt.', false);
    try {
      const { prompt, enhanced } = await client.enhance(draft.prompt.value, { signal: abort.signal });
      if (enhanced) setSuggestion(prompt);
      announce(
        enhanced ? 'A better prompt is ready.' : 'No better prompt was found. Yours is fine.',
        !enhanced,
      );
    } catch (error) {
      if (!abort.signal.aborted) announce(problemText(error));
    } finally {
      setRequest(undefined);
    }
  }

  const cancel = () => {
    request?.abort();
    announce('Cancelled. Your prompt is unchanged.');
  };
  const close = () => {
    setSuggestion(undefined);
    document.getElementById('prompt')?.focus();
  };
  const acceptSuggestion = () => {
    draft.ownPrompt.value ??= draft.prompt.value;
    draft.prompt.value = suggestion ?? '';
    close();
  };
  const restoreOwnPrompt = () => {
    draft.prompt.value = draft.ownPrompt.value ?? '';
    draft.ownPrompt.value = undefined;
    document.getElementById('prompt')?.focus();
  };

  if (suggestion !== undefined) {
    return (
      <fieldset class="better">
        <legend>A better prompt</legend>
        <textarea
          aria-label="Better prompt"
          rows={6}
          ref={field}
          value={suggestion}
          onInput={(event) => setSuggestion(event.currentTarget.value)}
        />
        <div class="row">
          <button
            type="button"
            class="primary"
            disabled={suggestion.trim() === ''}
            onClick={acceptSuggestion}
          >
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
        aria-disabled={!request && draft.prompt.value.trim() === ''}
        onClick={() => {
          if (request) cancel();
          else if (draft.prompt.value.trim() !== '') void improvePrompt();
        }}
      >
        <Icon name="spark" />
        {request ? 'Cancel improving' : 'Improve prompt'}
      </button>
      {draft.ownPrompt.value !== undefined && !request && (
        <button type="button" class="text" onClick={restoreOwnPrompt}>
          Back to my own prompt
        </button>
      )}
    </div>
  );
}
