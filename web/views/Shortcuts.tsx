import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Dialog } from './Dialog.tsx';

const isOpen = signal(false);

export const showShortcuts = () => {
  isOpen.value = true;
};

const shortcuts = [
  ['Ctrl or ⌘ and Enter', 'Generate (in the prompt)'],
  ['← →', 'Newer or older image'],
  ['Esc', 'Close'],
  ['Delete', 'Delete image'],
  ['?', 'Show shortcuts'],
] as const;

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
    <Dialog title="Keyboard shortcuts" class="sheet" onClose={close}>
      <h2>Keyboard shortcuts</h2>
      <dl class="shortcuts">
        {shortcuts.map(([keys, effect]) => (
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
          Close
        </button>
      </div>
    </Dialog>
  );
}

export const isText = (target: EventTarget | null) =>
  target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== 'radio');
