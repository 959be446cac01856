import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Dialog } from '../components/Dialog.tsx';
import { text } from '../strings/en.ts';

const isOpen = signal(false);

export const showShortcuts = () => {
  isOpen.value = true;
};

/** The list of keyboard shortcuts. `?` opens it anywhere but in a text field. */
export function Shortcuts() {
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key === '?' && !isText(event.target)) showShortcuts();
    };
    document.addEventListener('keydown', open);
    return () => document.removeEventListener('keydown', open);
  }, []);
  if (!isOpen.value) return null;
  const close = () => {
    isOpen.value = false;
  };
  return (
    <Dialog title={text.shortcuts.title} class="sheet" onClose={close}>
      <h2>{text.shortcuts.title}</h2>
      <dl class="shortcuts">
        {text.shortcuts.rows.map(([keys, effect]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
      <div class="row end">
        <button type="button" class="primary" onClick={close}>
          {text.common.close}
        </button>
      </div>
    </Dialog>
  );
}

export const isText = (target: EventTarget | null) =>
  target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== 'radio');
