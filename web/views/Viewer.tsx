import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { tooManyText } from '../pickImages.ts';
import { saveBlob } from '../saveFile.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { closeImage, goToImage, imageHref } from '../state/route.ts';
import { fileName, problemText, sizeText, tierNames, timeText, wholeTimeText } from '../words.ts';
import { ConfirmDelete } from './ConfirmDelete.tsx';
import { Dialog } from './Dialog.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { isText, showShortcuts } from './Shortcuts.tsx';

/** One image over the gallery, with its details and actions. */
export function Viewer({ id }: { id: string }) {
  const { gallery } = usePageState();
  const { generation, problem } = useGeneration(id);
  const [isDeleting, setIsDeleting] = useState(false);
  const index = gallery.items.value.findIndex((one) => one.id === id);
  const [newer, older] = index < 0 ? [] : [gallery.items.value[index - 1], gallery.items.value[index + 1]];

  useEffect(() => {
    // Load the next page before the user reaches the end of this one.
    if (index >= 0 && index >= gallery.items.value.length - 3) void gallery.more();
  }, [index, gallery]);
  useLayoutEffect(() => {
    const onKey = ({ key, target }: KeyboardEvent) => {
      if (isText(target) || document.querySelector('dialog.sheet')) return;
      if (key === 'ArrowLeft' && newer) goToImage(newer.id);
      if (key === 'ArrowRight' && older) goToImage(older.id);
      if (key === 'Delete' && generation?.image) setIsDeleting(true);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [newer, older, generation]);

  // Focus the image viewed last, which may not be the one opened first, unless an action named another element.
  const focusIdAfter = useRef('');
  const focusAfter = () => document.getElementById(focusIdAfter.current || `image-${id}`) ?? findTitle();
  const close = (focusId = '') => {
    focusIdAfter.current = focusId;
    closeImage();
  };
  const showNext = () => {
    setIsDeleting(false);
    const next = older ?? newer;
    if (next) goToImage(next.id);
    else close();
  };

  return (
    <Dialog title="Image" class="viewer" onClose={() => close()} focusAfter={focusAfter}>
      <div class="stage">
        <button type="button" class="round close" aria-label="Close" onClick={() => close()}>
          <Icon name="close" />
        </button>
        {generation?.image ? (
          <img
            key={id}
            src={generation.image.url}
            alt={generation.prompt ?? ''}
            width={generation.image.width}
            height={generation.image.height}
          />
        ) : (
          <p class="notice">{problem || (generation ? missingImageText(generation) : 'Loading …')}</p>
        )}
        <StepButton name="left" label="Previous image" to={newer} />
        <StepButton name="right" label="Next image" to={older} />
      </div>
      {generation && (
        <aside>
          <Facts generation={generation} />
          {generation.image && (
            <Actions
              generation={generation}
              onDelete={() => setIsDeleting(true)}
              onFocusPrompt={() => close('prompt')}
            />
          )}
        </aside>
      )}
      {isDeleting && generation && (
        <ConfirmDelete generation={generation} onClose={() => setIsDeleting(false)} onDeleted={showNext} />
      )}
    </Dialog>
  );
}

/** A title that can get the focus when the image is no longer in the list. */
const findTitle = () => document.getElementById('credits-title') ?? document.getElementById('gallery-title');

/** Finds the image in the gallery, or fetches it: a link can name one that the gallery has not loaded. */
function useGeneration(id: string) {
  const { gallery, client } = usePageState();
  const listed = gallery.items.value.find((one) => one.id === id);
  const [fetched, setFetched] = useState<Generation | undefined>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (listed) return;
    setProblem('');
    client
      .generation({ id })
      .then(({ generation }) => setFetched(generation))
      .catch((error) => setProblem(problemText(error)));
  }, [id, listed, client]);
  return { generation: listed ?? (fetched?.id === id ? fetched : undefined), problem };
}

function missingImageText({ status, failure }: Generation): string {
  if (status === 'deleted') return 'This image was deleted.';
  if (status === 'pending') return 'This image is still being generated.';
  return failure?.message ?? 'This image was not created.';
}

function StepButton({ name, label, to }: { name: IconName; label: string; to: Generation | undefined }) {
  return (
    <button
      type="button"
      class={`round turn ${name}`}
      aria-label={label}
      aria-disabled={!to}
      onClick={() => to && goToImage(to.id)}
    >
      <Icon name={name} />
    </button>
  );
}

function Facts({ generation }: { generation: Generation }) {
  const { prompt, enhancedPrompt, tier, image, model, cached, createdAt, id } = generation;
  const { memory } = usePageState();
  const [own, setOwn] = useState<string | undefined>();
  useEffect(() => {
    setOwn(undefined);
    void memory.getOwnPrompt(id).then(setOwn);
  }, [memory, id]);
  return (
    <div class="facts">
      <h2>{own ? 'Improved prompt' : 'Prompt'}</h2>
      <p class="prompt-text">{prompt}</p>
      {own && <PromptSection title="Your own prompt" text={own} />}
      {enhancedPrompt && <PromptSection title="Improved prompt" text={enhancedPrompt} />}
      <p class="quiet">
        {tierNames[tier]}
        {image && ` · ${image.width} × ${image.height} · ${sizeText(image.bytes)}`}
        {cached && ' · from the cache'}
        <br />
        <time dateTime={createdAt} title={wholeTimeText(createdAt)}>
          {timeText(createdAt)}
        </time>
      </p>
      <p class="made">
        <span class="ai">AI</span> Made with AI{model && ` (${model})`}
      </p>
    </div>
  );
}

function PromptSection({ title, text }: { title: string; text: string }) {
  return (
    <>
      <h3>{title}</h3>
      <p class="prompt-text">{text}</p>
    </>
  );
}

type ActionsProps = { generation: Generation; onDelete: () => void; onFocusPrompt: () => void };

function Actions({ generation, onDelete, onFocusPrompt }: ActionsProps) {
  const { draft, pendingGenerations, memory, account } = usePageState();
  const { id, prompt, tier, orientation, image } = generation;

  const copyLink = async () => {
    await navigator.clipboard.writeText(new URL(imageHref(id), location.href).href);
    announce('Link copied.');
  };
  const reuse = async () => {
    draft.reuse(generation, await memory.getOwnPrompt(id));
    onFocusPrompt();
  };
  const vary = () => {
    pendingGenerations.submit({ prompt: prompt ?? '', tier, orientation, fresh: true });
    onFocusPrompt();
    announce('A variation is being generated.');
  };
  const addAsReference = () => {
    const { maxReferences } = account.limits.value ?? { maxReferences: 0 };
    const references = draft.references.value;
    if (references.length >= maxReferences) return announce(tooManyText({ maxReferences }));
    const reference = {
      kind: 'generation',
      id,
      previewUrl: image?.thumbnailUrl ?? '',
      name: prompt ?? '',
    } as const;
    draft.references.value = [
      ...references.filter(({ previewUrl }) => previewUrl !== reference.previewUrl),
      reference,
    ];
    announce('Reference added.');
    onFocusPrompt();
  };

  return (
    <div class="actions">
      <Action icon="download" label="Download" action={() => download(generation)} kind="primary" />
      <Action icon="link" label="Copy link" action={copyLink} />
      <Action icon="pen" label="Reuse prompt" action={reuse} />
      <Action icon="again" label="Vary" action={vary} />
      <Action icon="image" label="Use as reference" action={addAsReference} />
      <Action icon="bin" label="Delete" action={onDelete} />
      <Action icon="keys" label="Keyboard shortcuts" action={showShortcuts} kind="for-keys" />
    </div>
  );
}

type ActionProps = {
  icon: IconName;
  label: string;
  action: () => void | Promise<void>;
  kind?: 'primary' | 'for-keys';
};

function Action({ icon, label, action, kind }: ActionProps) {
  const run = async () => {
    try {
      await action();
    } catch {
      announce(`“${label}” failed. Please try again.`);
    }
  };
  return (
    <button type="button" class={kind} onClick={() => void run()}>
      <Icon name={icon} />
      {label}
    </button>
  );
}

/** Saves the original file. It is fetched first, because browsers ignore `download` on links to another origin. */
async function download({ id, prompt, image }: Generation): Promise<void> {
  if (!image) return;
  const response = await fetch(image.url);
  if (!response.ok) throw new Error(`The image store answered ${response.status}`);
  saveBlob(await response.blob(), fileName(prompt, id, image.mimeType));
}
