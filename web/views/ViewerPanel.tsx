import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Button } from '../components/Button.tsx';
import { Popover } from '../components/Popover.tsx';
import { promptCharactersMax } from '../limits.ts';
import { announce } from '../state/announce.ts';
import {
  addReference,
  again,
  canCopyImages,
  copyImage,
  countUploads,
  download,
  downloadAs,
  edit,
  findOffer,
  formats,
  listReferenceIds,
  reuse,
} from '../state/imageActions.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { type OpenImage, useGenerations, useRelatives } from '../state/useImage.ts';
import { text } from '../strings/en.ts';
import { sizeText } from '../strings/format.ts';
import { studioText } from '../strings/studio.ts';
import { FailureCard } from './Failures.tsx';
import { ImageFacts } from './ImageFacts.tsx';
import { MakingLine } from './MakingLine.tsx';
import { Sharing } from './Sharing.tsx';
import { ViewerPrompt } from './ViewerPrompt.tsx';

type Props = {
  open: OpenImage & { generation: Generation };
  onDelete: () => void;
  /** Closes the viewer, with the focus on the composer's prompt. */
  onFocusPrompt: () => void;
};

/** Beside or under the image: its prompt, what can be done with it, and what is known of it. */
export function ViewerPanel({ open, onDelete, onFocusPrompt }: Props) {
  const { generation, ancestors } = open;
  const { pendingSiblings, pendingEdits } = useRelatives(generation);
  const failed = [...pendingEdits, ...pendingSiblings].filter(
    ({ progress }) => progress.value.state === 'failed',
  );
  return (
    <aside class="viewer-panel">
      <ViewerPrompt generation={generation} />
      {generation.image && (
        <>
          {/* The same field for every image, so that an edit that is shown when it is ready leaves the focus where it is. */}
          <EditForm generation={generation} pending={pendingEdits} />
          {failed.map((pending) => (
            <FailureCard key={pending.key} pending={pending} onEdit={onFocusPrompt} />
          ))}
          <MakeMore
            generation={generation}
            pending={pendingSiblings}
            isParentGone={ancestors?.at(-1)?.image === null}
            onFocusPrompt={onFocusPrompt}
          />
          <Save generation={generation} />
          <Sharing key={`share-${generation.id}`} generation={generation} />
        </>
      )}
      <ImageFacts generation={generation} />
      {generation.image && (
        <div class="apart">
          <Button kind="plain" icon="bin" onClick={onDelete}>
            {studioText.viewer.delete}
          </Button>
        </div>
      )}
    </aside>
  );
}

/** Runs an action, and says so if it fails. */
async function attempt(label: string, action: () => void | Promise<void>): Promise<void> {
  try {
    await action();
  } catch {
    announce(text.common.actionFailed(label));
  }
}

/** Describes a change of the image. The result is an image of its own. */
function EditForm({ generation, pending }: { generation: Generation; pending: PendingGeneration[] }) {
  const pageState = usePageState();
  const field = useRef<HTMLTextAreaElement>(null);
  const { id } = generation;
  const { changes, setChange } = pageState.draft;
  const change = changes.value[id] ?? '';
  const offer = findOffer(pageState, generation);
  const { maxReferences = 1 } = pageState.account.limits.value ?? {};
  const excess = [...change].length - promptCharactersMax;
  const canSubmit = offer !== undefined && change.trim() !== '' && excess <= 0;
  // A change that is there already was begun before, or failed.
  useEffect(() => {
    if (change) field.current?.focus();
  }, [id]);
  if (maxReferences === 0) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    if (!canSubmit) {
      field.current?.focus();
      return;
    }
    edit(pageState, generation, change, offer);
    setChange(id, '');
    announce(studioText.viewer.editStarted);
    field.current?.focus();
  };
  return (
    <form class="edit-form" onSubmit={submit}>
      <label class="visually-hidden" for="change">
        {studioText.viewer.change}
      </label>
      <textarea
        id="change"
        ref={field}
        dir="auto"
        rows={2}
        placeholder={studioText.viewer.changeExample}
        value={change}
        aria-invalid={excess > 0}
        onInput={({ currentTarget }) => setChange(id, currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat) submit(event);
        }}
      />
      {excess > 0 && (
        <p class="problem" role="alert">
          {text.composer.tooLong(excess, promptCharactersMax)}
        </p>
      )}
      <button type="submit" class={canSubmit ? 'primary' : undefined} aria-disabled={!canSubmit}>
        {studioText.viewer.edit}
        {offer && ` · ${text.common.credits(offer.credits)}`}
      </button>
      <MakingLine pending={pending} label={studioText.viewer.makingEdits} />
    </form>
  );
}

type MakeMoreProps = {
  generation: Generation;
  /** Images like this one that are being made. */
  pending: PendingGeneration[];
  isParentGone: boolean;
  onFocusPrompt: () => void;
};

function MakeMore({ generation, pending, isParentGone, onFocusPrompt }: MakeMoreProps) {
  const pageState = usePageState();
  const offer = findOffer(pageState, generation);
  const isReferenceGone = useGenerations(listReferenceIds(generation)).includes(null);
  const uploads = countUploads(generation);
  const cannotRepeat = isParentGone || isReferenceGone;
  const repeat = () => {
    if (!offer || cannotRepeat) return;
    again(pageState, generation, offer);
    announce(studioText.viewer.againStarted);
  };
  const reusePrompt = () => {
    reuse(pageState, generation);
    onFocusPrompt();
  };
  return (
    <ActionGroup
      title={studioText.viewer.makeMore}
      progress={<MakingLine pending={pending} label={studioText.viewer.makingMore} />}
    >
      <Button icon="again" aria-disabled={!offer || cannotRepeat} onClick={repeat}>
        {studioText.viewer.again}
        {offer && ` · ${text.common.credits(offer.credits)}`}
      </Button>
      <Button icon="pen" onClick={reusePrompt}>
        {text.gallery.reuse}
      </Button>
      <Button
        icon="imagePlus"
        onClick={() => {
          if (addReference(pageState, generation)) onFocusPrompt();
        }}
      >
        {text.gallery.useAsReference}
      </Button>
      {cannotRepeat && <p class="hint">{studioText.viewer.cannotRepeat}</p>}
      {!cannotRepeat && uploads > 0 && <p class="hint">{studioText.viewer.uploadsNotKept(uploads)}</p>}
      {offer && offer.resolution !== generation.resolution && (
        <p class="hint">{studioText.viewer.otherResolution(generation.resolution, offer.resolution)}</p>
      )}
    </ActionGroup>
  );
}

function Save({ generation }: { generation: Generation }) {
  const { image } = generation;
  if (!image) return null;
  const saveOriginal = () => void attempt(text.gallery.download, () => download(generation));
  return (
    <ActionGroup title={studioText.viewer.save}>
      <div class="split">
        <Button icon="download" onClick={saveOriginal}>
          {text.gallery.download}
        </Button>
        <Popover label={studioText.viewer.formats} icon="down">
          {(close) => (
            <>
              <Button
                isWide
                onClick={() => {
                  close();
                  saveOriginal();
                }}
              >
                {studioText.viewer.original(
                  studioText.viewer.formatName(image.mimeType),
                  sizeText(image.bytes),
                )}
              </Button>
              {formats
                .filter((format) => format !== image.mimeType)
                .map((format) => (
                  <Button
                    key={format}
                    isWide
                    onClick={() => {
                      close();
                      void attempt(text.gallery.download, () => downloadAs(generation, format));
                    }}
                  >
                    {studioText.viewer.formatName(format)}
                  </Button>
                ))}
              {image.contentCredentials === 'present' && (
                <p class="hint">{studioText.viewer.credentialsInOriginal}</p>
              )}
            </>
          )}
        </Popover>
      </div>
      {canCopyImages() && (
        <Button
          icon="copy"
          onClick={() => void attempt(studioText.viewer.copyImage, () => copyImage(generation))}
        >
          {studioText.viewer.copyImage}
        </Button>
      )}
    </ActionGroup>
  );
}

type GroupProps = { title: string; progress?: ComponentChildren; children: ComponentChildren };

function ActionGroup({ title, progress, children }: GroupProps) {
  return (
    <section class="action-group" aria-label={title}>
      <h2>{title}</h2>
      <div class="buttons">{children}</div>
      {progress}
    </section>
  );
}
