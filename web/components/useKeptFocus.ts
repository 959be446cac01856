import { useLayoutEffect, useRef } from 'preact/hooks';

/**
 * Keeps the focus in the holder when the element that had it goes with a change.
 * @param state changes with what the holder shows
 * @param selector what gets the focus: the first in the holder
 */
export function useKeptFocus(
  holder: { current: HTMLElement | null },
  state: unknown,
  selector = 'input, button',
): void {
  const last = useRef(state);
  useLayoutEffect(() => {
    if (last.current === state) return;
    last.current = state;
    if (document.activeElement !== document.body) return;
    holder.current?.querySelector<HTMLElement>(selector)?.focus();
  }, [state]);
}
