import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { route } from '../state/route.ts';

type Props = {
  title: string;
  class: string;
  onClose: () => void;
  /** The element to focus after closing; by default the one that had the focus before. */
  focusAfter?: () => HTMLElement | null;
  children: ComponentChildren;
};

/** A native modal dialog: it traps the focus, returns it, and closes on Escape or on a click outside. */
export function Dialog({ title, class: name, onClose, focusAfter, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const after = useRef(focusAfter);
  after.current = focusAfter;
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
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
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => {
        if (target === dialog.current) onClose();
      }}
    >
      {children}
    </dialog>
  );
}
