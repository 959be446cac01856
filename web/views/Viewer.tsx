import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Dialog } from '../components/Dialog.tsx';
import { Icon, type IconName } from '../components/Icon.tsx';
import { AiMark } from '../components/Tile.tsx';
import { announce } from '../state/announce.ts';
import { addReference, download, reuse } from '../state/imageActions.ts';
import { usePageState } from '../state/pageState.ts';
import { closeImage, goToImage, imageHref } from '../state/route.ts';
import { text } from '../strings/en.ts';
import { sizeText, timeText, wholeTimeText } from '../strings/format.ts';
import { problemText, removalText } from '../strings/messages.ts';
import { ConfirmDelete } from './ConfirmDelete.tsx';
import { Sharing } from './Sharing.tsx';
import { isText, showShortcuts } from './Shortcuts.tsx';

/** One image over the gallery, with its details and actions. */
export function Viewer({ id }: { id: string }) {
  // Goes through what the gallery shows, which may be what a search found.
  const { search: gallery } = usePageState();
  const { generation, problem } = useGeneration(id);
  const [isDeleting, setIsDeleting] = useState(false);
  const index = gallery.findPosition(id);
  const [newer, older] = index < 0 ? [] : [gallery.items.value[index - 1], gallery.items.value[index + 1]];

  useEffect(() => {
    // Load the next page before the user reaches the end of this one.
    if (index >= 0 && index >= gallery.items.value.length - 3) void gallery.more();
  }, [index, gallery]);
  useLayoutEffect(() => {
    const onKey = ({ key, target }: KeyboardEvent) => {
      if (isText(target) || document.querySelector('dialog.sheet, dialog.dialog')) return;
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
    <Dialog title={text.viewer.title} class="viewer" onClose={() => close()} focusAfter={focusAfter}>
      <div class="stage">
        <button type="button" class="round close" aria-label={text.common.close} onClick={() => close()}>
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
          <p class="notice">{problem || (generation ? missingImageText(generation) : text.common.loading)}</p>
        )}
        <StepButton name="left" label={text.viewer.previous} to={newer} />
        <StepButton name="right" label={text.viewer.next} to={older} />
      </div>
      {generation && (
        <aside>
          <Facts generation={generation} />
          {generation.image && <Sharing generation={generation} />}
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
  const { search: gallery, client } = usePageState();
  const listed = gallery.find(id);
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

function missingImageText(generation: Generation): string {
  const { status, failure, removedBy } = generation;
  if (removedBy) return removalText(generation);
  if (status === 'deleted') return text.viewer.deleted;
  if (status === 'pending') return text.viewer.pending;
  return failure?.message ?? text.viewer.notCreated;
}

function StepButton({ name, label, to }: { name: IconName; label: string; to: Generation | undefined }) {
  return (
    <button
      type="button"
      class={`round turn ${name}`}
      data-repeat
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
      <h2>{own ? text.viewer.improvedPrompt : text.viewer.prompt}</h2>
      <p class="prompt-text" dir="auto">
        {prompt}
      </p>
      {own && <PromptSection title={text.viewer.ownPrompt} text={own} />}
      {enhancedPrompt && <PromptSection title={text.viewer.improvedPrompt} text={enhancedPrompt} />}
      <p class="quiet">
        {text.composer.shapeName(tier, generation.orientation)}
        {image && ` · ${text.common.pixels(image.width, image.height)} · ${sizeText(image.bytes)}`}
        {image?.contentCredentials === 'present' && ` · ${text.viewer.contentCredentials}`}
        {cached && ` · ${text.viewer.cached}`}
        <br />
        <time dateTime={createdAt} title={wholeTimeText(createdAt)}>
          {timeText(createdAt)}
        </time>
      </p>
      <p class="made">
        <AiMark /> {text.common.madeWithAi} {model && text.viewer.madeBy(model)}
      </p>
    </div>
  );
}

function PromptSection({ title, text }: { title: string; text: string }) {
  return (
    <>
      <h3>{title}</h3>
      <p class="prompt-text" dir="auto">
        {text}
      </p>
    </>
  );
}

type ActionsProps = { generation: Generation; onDelete: () => void; onFocusPrompt: () => void };

function Actions({ generation, onDelete, onFocusPrompt }: ActionsProps) {
  const pageState = usePageState();
  const { pendingGenerations } = pageState;
  const { id, prompt, tier, orientation } = generation;

  const copyLink = async () => {
    await navigator.clipboard.writeText(new URL(imageHref(id), location.href).href);
    announce(text.viewer.linkCopied);
  };
  const reusePrompt = async () => {
    await reuse(pageState, generation);
    onFocusPrompt();
  };
  const vary = () => {
    pendingGenerations.submit({ prompt: prompt ?? '', tier, orientation, fresh: true });
    onFocusPrompt();
    announce(text.viewer.varied);
  };
  const useAsReference = () => {
    if (addReference(pageState, generation)) onFocusPrompt();
  };

  return (
    <div class="actions">
      <Action
        icon="download"
        label={text.viewer.download}
        action={() => download(generation)}
        kind="primary"
      />
      <Action icon="link" label={text.viewer.copyLink} action={copyLink} />
      <Action icon="pen" label={text.viewer.reuse} action={reusePrompt} />
      <Action icon="again" label={text.viewer.vary} action={vary} />
      <Action icon="image" label={text.viewer.useAsReference} action={useAsReference} />
      <Action icon="bin" label={text.viewer.delete} action={onDelete} />
      <Action icon="keys" label={text.shortcuts.title} action={showShortcuts} kind="for-keys" />
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
      announce(text.common.actionFailed(label));
    }
  };
  return (
    <button type="button" class={kind} onClick={() => void run()}>
      <Icon name={icon} />
      {label}
    </button>
  );
}
