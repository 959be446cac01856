import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from '../components/Button.tsx';
import { Icon } from '../components/Icon.tsx';
import { promptCharactersMax } from '../limits.ts';
import { announce } from '../state/announce.ts';
import { gapMs } from '../state/doubleClicks.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { ComposerSettings, getPrice } from './ComposerSettings.tsx';
import { Improve } from './Improve.tsx';
import { References } from './References.tsx';

/**
 * The form for new images, docked at the bottom of the window. In a small window it is one line until it is touched.
 * It stays usable while images are made.
 */
export function Composer() {
  const { draft, account, pendingGenerations } = usePageState();
  const field = useGrowingField(draft.prompt.value);
  const form = useRef<HTMLFormElement>(null);
  const { isOpen, open, press, forgetPress } = useOpening(form, field);
  const suggestion = useSignal<string | undefined>(undefined);
  useSignalEffect(() => {
    if (suggestion.value !== undefined) isOpen.value = true;
  });
  const submittedAt = useRef(Number.NEGATIVE_INFINITY);
  useMeasuredHeight(form);
  const count = draft.count.value;
  const { price, resolution, shortage } = getPrice(account, draft);
  const length = [...draft.prompt.value].length;
  const isTooLong = length > promptCharactersMax;
  const isEmpty = draft.prompt.value.trim() === '';
  const canSubmit = price !== undefined && !isEmpty && !isTooLong;
  const hint = [shortage, isEmpty && text.composer.empty].filter(Boolean).join(' ');

  function submit(event: Event): void {
    event.preventDefault();
    if (!canSubmit) {
      field.current?.focus();
      return;
    }
    pendingGenerations.submit(draft.toRequest(resolution), count);
    announce(text.composer.started(count), false);
    isOpen.value = false;
    scrollTo({ top: 0, behavior: 'smooth' });
  }

  /** Ctrl and Enter, pressed twice with no gap, ask once, unless the user has typed in between. */
  function submitByKey(event: KeyboardEvent): void {
    const isRepeated = event.timeStamp - submittedAt.current < gapMs;
    submittedAt.current = event.timeStamp;
    if (!isRepeated) submit(event);
  }

  /** A held-down key submits the form only once. */
  const submitOnce = (event: KeyboardEvent) => {
    if (event.key === 'Escape') isOpen.value = false;
    const isNewLine = event.target instanceof HTMLTextAreaElement && !event.ctrlKey && !event.metaKey;
    if (event.key !== 'Enter' || isNewLine) return;
    if (event.repeat) event.preventDefault();
    else if (event.target === field.current) submitByKey(event);
  };

  return (
    <form
      ref={form}
      class={isOpen.value ? 'composer open' : 'composer'}
      aria-label={text.composer.title}
      onSubmit={submit}
      onKeyDown={submitOnce}
      onClick={press}
      onFocusIn={(event) => {
        if (event.target === field.current) open(event);
      }}
    >
      <IconButton
        icon="down"
        label={text.composer.collapse}
        look="plain collapse"
        onClick={() => {
          isOpen.value = false;
        }}
      />
      <div class="prompt">
        <label class="visually-hidden" for="prompt">
          {text.composer.prompt}
        </label>
        <textarea
          id="prompt"
          ref={field}
          dir="auto"
          rows={1}
          enterkeyhint="enter"
          placeholder={text.composer.placeholder}
          value={draft.prompt.value}
          aria-describedby={isTooLong ? 'prompt-problem' : undefined}
          aria-invalid={isTooLong}
          onInput={(event) => {
            submittedAt.current = Number.NEGATIVE_INFINITY;
            forgetPress();
            draft.write(event.currentTarget.value, event.data);
          }}
        />
        {isTooLong && (
          <p class="problem" id="prompt-problem" role="alert">
            {text.composer.tooLong(length - promptCharactersMax, promptCharactersMax)}
          </p>
        )}
      </div>
      <Improve suggestion={suggestion} />
      <References
        onProblem={() => {
          isOpen.value = true;
        }}
      />
      <ComposerSettings />
      <button
        type="submit"
        class="primary create-button"
        aria-disabled={!canSubmit}
        aria-describedby={isTooLong ? 'prompt-problem' : hint ? 'create-hint' : undefined}
      >
        <Icon name="up" />
        <span class="create-text">
          {text.composer.create}
          {price !== undefined && <span class="price"> · {text.composer.price(price)}</span>}
        </span>
        <span class="short-price" aria-hidden="true">
          {price}
        </span>
      </button>
      {hint && (
        <p id="create-hint" class={shortage ? 'hint' : 'visually-hidden'}>
          {hint}
        </p>
      )}
    </form>
  );
}

type ElementRef<Kind> = { current: Kind | null };

/** Opens and closes the composer. In a large window it looks the same. */
function useOpening(form: ElementRef<HTMLFormElement>, field: ElementRef<HTMLTextAreaElement>) {
  const isOpen = useSignal(false);
  const openedAt = useRef(Number.NEGATIVE_INFINITY);

  useEffect(() => {
    const leave = ({ target }: Event) => {
      // A dialog that the composer opened belongs to it.
      const isInside = form.current?.contains(target as Node) || (target as Element).closest?.('dialog');
      if (!isInside) isOpen.value = false;
    };
    // Not at the press: the composer's height may move what is pressed. A cancelled press scrolls.
    const closing = new AbortController();
    // Not on the document: iOS sends no click for an element without a listener below the body.
    const app = document.getElementById('app');
    for (const type of ['click', 'pointercancel'])
      app?.addEventListener(type, leave, { capture: true, signal: closing.signal });
    return () => closing.abort();
  }, [isOpen, form]);

  function open({ timeStamp }: Event): void {
    if (!isOpen.value) openedAt.current = timeStamp;
    isOpen.value = true;
  }

  /** A press of the closed bar opens it. The second press of a double tap finds the button in its place. */
  function press(event: MouseEvent): void {
    const target = event.target as Element;
    if (!target.closest('button, [type=file]')) {
      if (target === form.current && !isOpen.value) field.current?.focus();
      open(event);
    } else if (event.detail > 0 && event.timeStamp - openedAt.current < gapMs) event.preventDefault();
  }

  /** After input, a press is not the second one of a double tap. */
  const forgetPress = () => {
    openedAt.current = Number.NEGATIVE_INFINITY;
  };
  return { isOpen, open, press, forgetPress };
}

/** Gives the styles the height of the bar, because panels open above it. */
function useMeasuredHeight(form: ElementRef<HTMLFormElement>): void {
  useLayoutEffect(() => {
    const element = form.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      document.documentElement.style.setProperty('--bar-height', `${element.offsetHeight}px`);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [form]);
}

/** Makes the text area as high as its text, up to the maximum height in its style. */
function useGrowingField(prompt: string) {
  const field = useRef<HTMLTextAreaElement>(null);
  // For browsers without `field-sizing`.
  useEffect(() => {
    if (!field.current || CSS.supports('field-sizing', 'content')) return;
    field.current.style.height = 'auto';
    field.current.style.height = `${field.current.scrollHeight + 2}px`;
  }, [prompt]);
  return field;
}
