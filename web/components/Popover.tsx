import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './Icon.tsx';

type Props = {
  /** The name of the button; `value` follows it on a chip. */
  label: string;
  icon: IconName;
  /** A chip shows this text; without it the button is round. */
  value?: string;
  /** What the name of the chip says in place of `value`. */
  valueName?: string;
  /** True marks a chip with a setting that differs from the usual. */
  isOn?: boolean;
  children: (close: () => void) => ComponentChildren;
};

const followed = ['pointerdown', 'pointercancel', 'click', 'focusin', 'keydown'];

/**
 * A button that opens a panel beside it. The panel closes when the user leaves it, and on Escape and Enter on one of its
 * choices, which return the focus.
 */
export function Popover({ label, icon, value, valueName = value, isOn = false, children }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  const close = () => {
    setIsOpen(false);
    button.current?.focus();
  };

  // Before the panel is painted: Escape may come at once.
  useLayoutEffect(() => {
    if (!isOpen) return;
    let isPressed = false;
    const follow = (event: Event) => {
      const { type, target } = event;
      const isInside = holder.current?.contains(target as Node);
      // Not before the click: the panel may be in the flow, and what is pressed would move away from the pointer.
      if (!isInside && (type === 'click' || (type === 'focusin' && !isPressed))) setIsOpen(false);
      isPressed = type === 'pointerdown' || (isPressed && type === 'focusin');
      if (event instanceof KeyboardEvent) closeByKey(event, isInside);
    };
    const closeByKey = (event: KeyboardEvent, isInside = false) => {
      const choice = isInside && event.key === 'Enter' && event.target;
      if (choice instanceof HTMLInputElement) {
        // Enter would submit the form.
        if (!choice.checked) choice.click();
      } else if (event.key !== 'Escape') return;
      event.stopPropagation();
      // The panel may be in a dialog, which stays open.
      event.preventDefault();
      close();
    };
    const closing = new AbortController();
    for (const type of followed) {
      document.addEventListener(type, follow, { capture: true, signal: closing.signal });
    }
    return () => closing.abort();
  }, [isOpen]);

  const name = value === undefined ? 'round' : isOn ? 'chip on' : 'chip';
  return (
    <div class="popover-holder" ref={holder}>
      <button
        type="button"
        class={name}
        ref={button}
        aria-label={value === undefined ? label : `${label}: ${valueName}`}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name={icon} />
        {value}
      </button>
      <div id={id} class="popover" hidden={!isOpen}>
        {isOpen && children(close)}
      </div>
    </div>
  );
}
