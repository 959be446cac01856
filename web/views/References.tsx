import { useEffect, useRef, useState } from 'preact/hooks';
import { imageTypes, pickImages, roomLeft } from '../pickImages.ts';
import { announce } from '../state/announce.ts';
import type { Reference } from '../state/draft.ts';
import { usePageState } from '../state/pageState.ts';
import { Icon } from './Icon.tsx';

/** Images that the model looks at: picked, dropped, pasted, or taken from the gallery. */
export function References() {
  const { draft, account } = usePageState();
  const [refused, setRefused] = useState<string[]>([]);
  const input = useRef<HTMLInputElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  const limits = account.limits.value;

  async function take(files: readonly File[]): Promise<void> {
    if (!limits || files.length === 0) return;
    const room = roomLeft(limits, draft.references.value.length, draft.referenceBytes.value);
    const { picked, refused: problems } = await pickImages(files, room, limits);
    setRefused(problems);
    const found = picked.map((one): Reference => ({ kind: 'file', ...one }));
    draft.references.value = [...draft.references.value, ...found];
    if (found.length > 0)
      announce(found.length === 1 ? 'Reference added.' : `${found.length} references added.`);
  }

  const isOver = useDroppedAndPasted(take);
  const remove = (gone: Reference) => {
    if (gone.kind === 'file') URL.revokeObjectURL(gone.previewUrl);
    draft.references.value = draft.references.value.filter((one) => one !== gone);
    setRefused([]);
    add.current?.focus();
  };

  return (
    <fieldset class={isOver ? 'references over' : 'references'}>
      <legend>References</legend>
      <ul>
        {draft.references.value.map((one, i) => (
          <li key={one.previewUrl}>
            <img src={one.previewUrl} alt={one.name} width="56" height="56" />
            <button type="button" aria-label={`Remove reference ${i + 1}`} onClick={() => remove(one)}>
              <Icon name="close" />
            </button>
          </li>
        ))}
        <li>
          <button type="button" class="add" ref={add} onClick={() => input.current?.click()}>
            <Icon name="plus" />
            <span>Add reference images</span>
          </button>
        </li>
      </ul>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={imageTypes.join()}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // The same file may be picked again.
          currentTarget.value = '';
          void take(files);
        }}
      />
      <p class="hint">Or drop or paste PNG, JPEG or WebP images here.</p>
      {refused.map((problem) => (
        <p key={problem} class="problem" role="alert">
          {problem}
        </p>
      ))}
    </fieldset>
  );
}

/** Hands on files that are dropped on the page or pasted into it; true while one is held over it. */
function useDroppedAndPasted(take: (files: readonly File[]) => Promise<void>): boolean {
  const [isOver, setIsOver] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setIsOver(true);
    };
    const leave = ({ relatedTarget }: DragEvent) => {
      if (relatedTarget === null) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      setIsOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      void latest.current(files);
    };
    const paste = ({ clipboardData }: ClipboardEvent) =>
      void latest.current([...(clipboardData?.files ?? [])]);
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
      document.removeEventListener('paste', paste);
    };
  }, []);
  return isOver;
}
