import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './Icon.tsx';

type Props = {
  /** The name of the button; `value` follows it on a chip. */
  label: string;
  icon: IconName;
  /** A chip shows this text; without it the button is round. */
  value?: string;
  /** True marks a chip with a setting that differs from the usual. */
  isOn?: boolean;
  children: (close: () => void) => ComponentChildren;
};

/** A button that opens a panel beside it. The panel closes on Escape, which returns the focus, and when the user leaves it. */
export function Popover({ label, icon, value, isOn = false, children }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  // Before the panel is painted: Escape may come at once.
  useLayoutEffect(() => {
    if (!isOpen) return;
    const leave = ({ target }: Event) => {
      if (!holder.current?.contains(target as Node)) setIsOpen(false);
    };
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      // The panel may be in a dialog, which stays open.
      event.preventDefault();
      setIsOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', leave);
    document.addEventListener('focusin', leave);
    document.addEventListener('keydown', closeByKey, true);
    return () => {
      document.removeEventListener('pointerdown', leave);
      document.removeEventListener('focusin', leave);
      document.removeEventListener('keydown', closeByKey, true);
    };
  }, [isOpen]);

  const name = value === undefined ? 'round' : isOn ? 'chip on' : 'chip';
  return (
    <div class="popover-holder" ref={holder}>
      <button
        type="button"
        class={name}
        ref={button}
        aria-label={value === undefined ? label : `${label}: ${value}`}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name={icon} />
        {value}
      </button>
      <div id={id} class="popover" hidden={!isOpen}>
        {isOpen &&
          children(() => {
            setIsOpen(false);
            button.current?.focus();
          })}
      </div>
    </div>
  );
}
