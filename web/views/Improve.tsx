import type { Signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { Icon } from '../components/Icon.tsx';
import { Spinner } from '../components/Spinner.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';

/** Suggests an improved prompt, which the user can edit, use or reject. @property suggestion undefined if there is none */
export function Improve({ suggestion }: { suggestion: Signal<string | undefined> }) {
  const { client, draft } = usePageState();
  const [request, setRequest] = useState<AbortController | undefined>();
  const field = useRef<HTMLTextAreaElement>(null);
  const isShown = suggestion.value !== undefined;
  useEffect(() => {
    if (isShown) field.current?.focus();
  }, [isShown]);

  async function improvePrompt(): Promise<void> {
    const abort = new AbortController();
    setRequest(abort);
    announce(text.improve.improving, false);
    try {
      const { prompt, enhanced } = await client.enhance(draft.prompt.value, { signal: abort.signal });
      if (enhanced) suggestion.value = prompt;
      announce(enhanced ? text.improve.ready : text.improve.noBetter, !enhanced);
    } catch (error) {
      if (!abort.signal.aborted) announce(problemText(error));
    } finally {
      setRequest(undefined);
    }
  }

  const cancel = () => {
    request?.abort();
    announce(text.improve.cancelled);
  };
  const close = () => {
    suggestion.value = undefined;
    document.getElementById('prompt')?.focus();
  };
  const acceptSuggestion = () => {
    draft.ownPrompt.value ??= draft.prompt.value;
    draft.prompt.value = suggestion.value ?? '';
    close();
  };
  const restoreOwnPrompt = () => {
    draft.prompt.value = draft.ownPrompt.value ?? '';
    draft.ownPrompt.value = undefined;
    document.getElementById('prompt')?.focus();
  };

  if (suggestion.value !== undefined) {
    return (
      <fieldset class="better">
        <legend>{text.improve.title}</legend>
        <textarea
          aria-label={text.improve.field}
          dir="auto"
          rows={3}
          ref={field}
          value={suggestion.value}
          onInput={(event) => {
            suggestion.value = event.currentTarget.value;
          }}
        />
        <div class="row">
          <Button kind="primary" disabled={suggestion.value.trim() === ''} onClick={acceptSuggestion}>
            {text.improve.use}
          </Button>
          <Button onClick={close}>{text.improve.keep}</Button>
        </div>
      </fieldset>
    );
  }
  return (
    <div class="improve">
      <button
        type="button"
        class={request ? 'round plain busy' : 'round plain'}
        aria-label={request ? text.improve.cancel : text.improve.improve}
        title={request ? text.improve.cancel : text.improve.improve}
        aria-disabled={!request && draft.prompt.value.trim() === ''}
        onClick={() => {
          if (request) cancel();
          else if (draft.prompt.value.trim() !== '') void improvePrompt();
        }}
      >
        {request ? <Spinner /> : <Icon name="spark" />}
      </button>
      {draft.ownPrompt.value !== undefined && !request && (
        <Button kind="text" onClick={restoreOwnPrompt}>
          {text.improve.revert}
        </Button>
      )}
    </div>
  );
}
