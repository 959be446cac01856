import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useLater } from '../components/useLater.ts';

const isOpen = signal(false);

export const showShortcuts = () => {
  isOpen.value = true;
};

const close = () => {
  isOpen.value = false;
};

const loadList = async () => (await import('./ShortcutList.tsx')).ShortcutList;

/** Opens the list of keyboard shortcuts: `?` does it anywhere but in a text field. */
export function Shortcuts() {
  const { view: ShortcutList } = useLater(isOpen.value, loadList);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key === '?' && !isText(event.target)) showShortcuts();
    };
    document.addEventListener('keydown', open);
    return () => document.removeEventListener('keydown', open);
  }, []);
  return isOpen.value && ShortcutList ? <ShortcutList onClose={close} /> : null;
}

export const isText = (target: EventTarget | null) =>
  target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== 'radio');
