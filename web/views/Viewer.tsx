import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import { closeImage, goToImage, imageHref } from '../state/route.ts';
import { fileName, problemText, sizeText, tierNames, timeText, wholeTimeText } from '../words.ts';
import { ConfirmDelete } from './ConfirmDelete.tsx';
import { Dialog } from './Dialog.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { isText, showShortcuts } from './Shortcuts.tsx';

/** One image in full, over the gallery, with all that can be done with it. */
export function Viewer({ id }: { id: string }) {
  const { gallery } = usePageState();
  const { generation, problem } = useGeneration(id);
  const [isDeleting, setIsDeleting] = useState(false);
  const at = gallery.items.value.findIndex((one) => one.id === id);
  const [newer, older] = at < 0 ? [] : [gallery.items.value[at - 1], gallery.items.value[at + 1]];

  useEffect(() => {
    // Whoever leafs through to the end wants what comes after it.
    if (at >= 0 && at >= gallery.items.value.length - 3) void gallery.more();
  }, [at, gallery]);
  useLayoutEffect(() => {
    const byKey = ({ key, target }: KeyboardEvent) => {
      if (isText(target) || document.querySelector('dialog.sheet')) return;
      if (key === 'ArrowLeft' && newer) goToImage(newer.id);
      if (key === 'ArrowRight' && older) goToImage(older.id);
      if (key === 'Delete' && generation?.image) setIsDeleting(true);
    };
    document.addEventListener('keydown', byKey);
    return () => document.removeEventListener('keydown', byKey);
  }, [newer, older, generation]);

  // The image that was looked at last, which need not be the one that was opened; or what is next to be done.
  const focusAt = useRef('');
  const focusAfter = () => document.getElementById(focusAt.current || `image-${id}`) ?? nextToImages();
  const close = (focusId = '') => {
    focusAt.current = focusId;
    closeImage();
  };
  const deleted = () => {
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
          <p class="notice">{problem || (generation ? withoutImage(generation) : 'Loading …')}</p>
        )}
        <NeighborButton name="left" label="Previous image" to={newer} />
        <NeighborButton name="right" label="Next image" to={older} />
      </div>
      {generation && (
        <aside>
          <Facts generation={generation} />
          {generation.image && (
            <Actions
              generation={generation}
              onDelete={() => setIsDeleting(true)}
              toPrompt={() => close('prompt')}
            />
          )}
        </aside>
      )}
      {isDeleting && generation && (
        <ConfirmDelete generation={generation} onClose={() => setIsDeleting(false)} onDeleted={deleted} />
      )}
    </Dialog>
  );
}

/** The credits list or the gallery's title: something that is there once the image is not. */
const nextToImages = () =>
  document.getElementById('credits-title') ?? document.getElementById('gallery-title');

/** The image of the gallery, or else what the studio knows of it: a link may lead to one that is not loaded. */
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

function withoutImage({ status, failure }: Generation): string {
  if (status === 'deleted') return 'This image has been deleted.';
  if (status === 'pending') return 'This image is still being painted.';
  return failure?.message ?? 'This image was not painted.';
}

function NeighborButton({ name, label, to }: { name: IconName; label: string; to: Generation | undefined }) {
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
    void memory.ownPrompt(id).then(setOwn);
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

type ActionsProps = { generation: Generation; onDelete: () => void; toPrompt: () => void };

function Actions({ generation, onDelete, toPrompt }: ActionsProps) {
  const { draft, pendingGenerations, memory, account } = usePageState();
  const { id, prompt, tier, orientation, image } = generation;

  const copyLink = async () => {
    await navigator.clipboard.writeText(new URL(imageHref(id), location.href).href);
    announce('The link is copied.');
  };
  const reuse = async () => {
    draft.reuse(generation, await memory.ownPrompt(id));
    toPrompt();
  };
  const vary = () => {
    pendingGenerations.submit({ prompt: prompt ?? '', tier, orientation, fresh: true });
    toPrompt();
    announce('A variation is being painted.');
  };
  const refer = () => {
    const max = account.limits.value?.maxReferences ?? 0;
    const known = draft.references.value;
    if (known.length >= max) return announce(`This model takes at most ${max} reference images.`);
    const one = {
      kind: 'generation',
      id,
      previewUrl: image?.thumbnailUrl ?? '',
      name: prompt ?? '',
    } as const;
    draft.references.value = [...known.filter((other) => other.previewUrl !== one.previewUrl), one];
    announce('Reference added.');
    toPrompt();
  };

  return (
    <div class="actions">
      <Action icon="download" label="Download" action={() => download(generation)} kind="primary" />
      <Action icon="link" label="Copy link" action={copyLink} />
      <Action icon="pen" label="Reuse prompt" action={reuse} />
      <Action icon="again" label="Vary" action={vary} />
      <Action icon="image" label="Use as reference" action={refer} />
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
      announce(`“${label}” did not work. Please try again.`);
    }
  };
  return (
    <button type="button" class={kind} onClick={() => void run()}>
      <Icon name={icon} />
      {label}
    </button>
  );
}

/** Saves the file as it was painted: the bytes are fetched, for another origin's link would only open it. */
async function download({ id, prompt, image }: Generation): Promise<void> {
  if (!image) return;
  const response = await fetch(image.url);
  if (!response.ok) throw new Error(`The image store answered ${response.status}`);
  const href = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  Object.assign(link, { href, download: fileName(prompt, id, image.mimeType) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
