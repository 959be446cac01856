import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

type Props = {
  title: string;
  class: string;
  onClose: () => void;
  /** What gets the focus afterwards, where that is not what had it before. */
  focusAfter?: () => HTMLElement | null;
  children: ComponentChildren;
};

/** A modal dialog of the browser: it keeps the focus in, gives it back, and closes by Escape or beside it. */
export function Dialog({ title, class: name, onClose, focusAfter, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const after = useRef(focusAfter);
  after.current = focusAfter;
  useLayoutEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => {
      // Before anything is focused: what is outside of an open dialog cannot be. It gives the focus back itself.
      opened?.close();
      after.current?.()?.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog; the click is for pointers.
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
