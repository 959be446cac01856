import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { openDialogs } from '../state/announce.ts';
import { route } from '../state/route.ts';
import { Announcer } from './Announcer.tsx';

type Props = {
  title: string;
  class: string;
  onClose: () => void;
  /** The id of the element that describes the dialog. */
  describedBy?: string;
  /** True if the dialog gets the focus when it opens, in place of its first button. */
  isFocused?: boolean;
  /** The element to focus after closing; by default the one that had the focus before. */
  focusAfter?: () => HTMLElement | null;
  children: ComponentChildren;
};

/** A native modal dialog with a live region: it traps the focus, returns it, and closes on Escape or on a click outside. */
export function Dialog({ title, class: name, children, ...props }: Props) {
  const { onClose, describedBy, isFocused, focusAfter } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const after = useRef(focusAfter);
  after.current = focusAfter;
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    if (isFocused) element?.focus();
    openDialogs.value = [...openDialogs.value, dialog];
    return () => {
      openDialogs.value = openDialogs.value.filter((one) => one !== dialog);
      // Close first: nothing outside of an open modal can get the focus. Closing returns it to the previous element.
      element?.close();
      after.current?.()?.focus();
    };
  }, []);
  const view = route.value;
  // In a view that is hidden now, it would block the page without being seen.
  useLayoutEffect(() => {
    if (dialog.current?.checkVisibility() === false) onClose();
  }, [view]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard closes the dialog with Escape.
    <dialog
      class={name}
      ref={dialog}
      aria-label={title}
      aria-describedby={describedBy}
      tabIndex={isFocused ? -1 : undefined}
      onFocus={({ target, currentTarget }) => {
        // A user of the mouse gets no ring from the first key, such as an arrow.
        if (target === currentTarget)
          currentTarget.toggleAttribute('data-ringless', !currentTarget.matches(':focus-visible'));
      }}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => {
        if (target === dialog.current) onClose();
      }}
    >
      {children}
      <Announcer dialog={dialog} />
    </dialog>
  );
}
