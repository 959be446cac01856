import { Dialog } from '../components/Dialog.tsx';
import { shortcutRows } from '../strings/en/shortcuts.ts';
import { text } from '../strings/en.ts';

/** The keyboard shortcuts, and what each does. */
export function ShortcutList({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={text.shortcuts.title} class="sheet" onClose={onClose}>
      <h2>{text.shortcuts.title}</h2>
      <dl class="shortcuts">
        {shortcutRows.map(([keys, effect]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
      <div class="row end">
        <button type="button" class="primary" onClick={onClose}>
          {text.common.close}
        </button>
      </div>
    </Dialog>
  );
}
