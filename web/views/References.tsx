import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../components/Icon.tsx';
import { announce } from '../state/announce.ts';
import type { Reference } from '../state/draft.ts';
import { formats } from '../state/imageActions.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';

/**
 * Reference images for the model: files that are picked, dropped or pasted, and images from the gallery.
 * @param onProblem called when a file is refused: the closed composer shows no reasons
 */
export function References({ onProblem }: { onProblem: () => void }) {
  const { draft, account } = usePageState();
  const [problems, setProblems] = useState<string[]>([]);
  const input = useRef<HTMLInputElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  const limits = account.limits.value;

  async function addFiles(files: readonly File[]): Promise<void> {
    if (!limits || files.length === 0) return;
    const module = await import('../pickImages.ts').catch(() => announce(text.failures.onPage));
    if (!module) return;
    const room = {
      images: limits.maxReferences - draft.references.value.length,
      bytes: limits.maxReferenceBytes - draft.referenceBytes.value,
    };
    const { images, problems: found } = await module.pickImages(files, room, limits);
    setProblems(found);
    if (found.length > 0) onProblem();
    const added = images.map((image): Reference => ({ kind: 'file', ...image }));
    draft.references.value = [...draft.references.value, ...added];
    if (added.length > 0) announce(text.references.added(added.length), false);
  }

  const isOver = useDroppedAndPasted(addFiles);
  const remove = (reference: Reference) => {
    if (reference.kind === 'file') URL.revokeObjectURL(reference.previewUrl);
    draft.references.value = draft.references.value.filter((one) => one !== reference);
    setProblems([]);
    announce(text.references.removed, false);
    add.current?.focus();
  };

  return (
    <fieldset class={isOver ? 'references over' : 'references'}>
      <legend class="visually-hidden">{text.references.title}</legend>
      <button
        type="button"
        class="round plain add"
        ref={add}
        aria-label={text.references.add}
        data-count={draft.references.value.length || undefined}
        title={`${text.references.add}. ${text.references.hint}`}
        onClick={() => input.current?.click()}
      >
        <Icon name="imagePlus" />
      </button>
      {draft.references.value.length > 0 && (
        <ul>
          {draft.references.value.map((one, i) => (
            <li key={one.previewUrl || i}>
              <ReferenceImage reference={one} position={i + 1} />
              <button
                type="button"
                aria-label={text.references.remove(i + 1)}
                title={text.references.remove(i + 1)}
                onClick={() => remove(one)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={formats.join()}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // Without this, picking the same file again fires no event.
          currentTarget.value = '';
          void addFiles(files);
        }}
      />
      {problems.map((problem) => (
        <p key={problem} class="problem" role="alert">
          {problem}
        </p>
      ))}
    </fieldset>
  );
}

/** A reference that came from a failed request may have no preview and no name: the gallery may know them. */
function ReferenceImage({ reference, position }: { reference: Reference; position: number }) {
  const { gallery } = usePageState();
  const listed = reference.kind === 'generation' ? gallery.find(reference.id) : undefined;
  const url = reference.previewUrl || listed?.image?.thumbnailUrl;
  const name = reference.name || listed?.prompt || text.references.one(position);
  if (!url) return <Icon name="image" />;
  return <img src={url} alt={name} width="44" height="44" />;
}

/** Passes on files that are dropped on the page or pasted into it. Returns true while files are dragged over it. */
function useDroppedAndPasted(addFiles: (files: readonly File[]) => Promise<void>): boolean {
  const [isOver, setIsOver] = useState(false);
  const latest = useRef(addFiles);
  latest.current = addFiles;
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
