import '../styles/viewer.css';
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { IconButton } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { announce } from '../state/announce.ts';
import { toggleFavourite } from '../state/imageActions.ts';
import { usePageState } from '../state/pageState.ts';
import { closeImage, goToImage } from '../state/route.ts';
import { useFinishedEdit, useImage } from '../state/useImage.ts';
import { text } from '../strings/en.ts';
import { removalText } from '../strings/messages.ts';
import { studioText } from '../strings/studio.ts';
import { ConfirmDelete } from './ConfirmDelete.tsx';
import { isText, showShortcuts } from './Shortcuts.tsx';
import { useZoom } from './useZoom.ts';
import { ViewerImage } from './ViewerImage.tsx';
import { ViewerPanel } from './ViewerPanel.tsx';
import { ViewerStrips } from './ViewerStrips.tsx';
import { moveByKey, ZoomButtons } from './ViewerZoom.tsx';

/** One image over the gallery, with what can be done with it. */
export function Viewer({ id }: { id: string }) {
  // Goes through what the gallery shows, which may be what a search found.
  const pageState = usePageState();
  const { search: gallery, draft } = pageState;
  const open = useImage(id);
  const { generation, ancestors, problem } = open;
  const [isDeleting, setIsDeleting] = useState(false);
  const comparedId = useSignal('');
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const index = gallery.findPosition(id);
  const [newer, older] = index < 0 ? [] : [gallery.items.value[index - 1], gallery.items.value[index + 1]];
  const before = ancestors?.at(-1)?.image ? ancestors.at(-1) : undefined;
  const isComparing = before !== undefined && comparedId.value === id;
  const place = useMemo(() => {
    if (!generation?.image) return '';
    const count = gallery.state.value === 'complete' ? gallery.items.value.length : undefined;
    return studioText.viewer.place(generation.prompt ?? '', index + 1, count);
    // An image that arrives moves the others, but says nothing about the one that is open.
  }, [id, generation?.status]);
  const zoom = useZoom({
    frame,
    picture,
    id,
    onSwipe(step) {
      const next = step === 1 ? older : newer;
      if (next) goToImage(next.id);
    },
  });

  useEffect(() => {
    // Load the next page before the user reaches the end of this one.
    if (index >= 0 && index >= gallery.items.value.length - 3) void gallery.more();
  }, [index, gallery]);
  useLayoutEffect(() => {
    for (const one of [body.current, body.current?.querySelector('aside')]) if (one) one.scrollTop = 0;
  }, [id]);
  useKeptFocus(body);
  useFinishedEdit(id, (edit) => {
    // A user who writes on, or looks closely, stays where they are.
    if (draft.changes.value[id] || zoom.view.value.scale > 1) announce(studioText.viewer.editReady);
    else goToImage(edit.id);
  });
  const compare = () => {
    comparedId.value = isComparing ? '' : id;
  };
  const favour = () => generation?.image && void toggleFavourite(pageState, generation);
  useKeys((key) => {
    if (moveByKey(zoom, key)) return true;
    if (key === 'ArrowLeft' && newer) goToImage(newer.id);
    else if (key === 'ArrowRight' && older) goToImage(older.id);
    else if (key === 'Delete' && generation?.image) setIsDeleting(true);
    else if (key === 'c' && before) compare();
    else if (key === 'f') favour();
    else if (key === 'e' && generation?.image) document.getElementById('change')?.focus();
    else return false;
    return true;
  });

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
    <Dialog
      title={studioText.viewer.title}
      class="viewer"
      describedBy="place notice"
      isFocused
      onClose={() => close()}
      focusAfter={focusAfter}
    >
      <div class="viewer-bar">
        <IconButton icon="close" label={text.common.close} look="plain" onClick={() => close()} />
        {generation?.image && (
          <IconButton
            icon="heart"
            label={text.gallery.favourite}
            look={generation.favourite ? 'plain on' : 'plain'}
            aria-pressed={generation.favourite}
            onClick={favour}
          />
        )}
        {generation?.image && (
          <ZoomButtons zoom={zoom}>
            {before && (
              <IconButton
                icon="compare"
                label={studioText.viewer.compare}
                look={isComparing ? 'plain on' : 'plain'}
                aria-pressed={isComparing}
                onClick={compare}
              />
            )}
          </ZoomButtons>
        )}
        <IconButton
          icon="question"
          label={text.shortcuts.title}
          look="plain for-keys"
          onClick={showShortcuts}
        />
      </div>
      <div class="viewer-body" ref={body}>
        <div class="stage">
          <div
            class={zoom.view.value.scale > 1 ? 'canvas zoomed' : 'canvas'}
            ref={frame}
            style={{
              '--ratio': String(generation?.image ? generation.image.width / generation.image.height : 1),
            }}
          >
            {generation?.image ? (
              <ViewerImage
                key={id}
                image={generation.image}
                alt={generation.prompt ?? ''}
                before={isComparing ? (before?.image ?? undefined) : undefined}
                picture={picture}
                zoom={zoom}
              />
            ) : (
              <p id="notice" class="notice" role="status">
                {problem || (generation ? missingImageText(generation) : text.common.loading)}
              </p>
            )}
            <StepButton icon="left" label={studioText.viewer.previous} to={newer} />
            <StepButton icon="right" label={studioText.viewer.next} to={older} />
          </div>
          {generation && <ViewerStrips generation={generation} ancestors={ancestors} />}
        </div>
        {generation && (
          <ViewerPanel
            open={{ ...open, generation }}
            onDelete={() => setIsDeleting(true)}
            onFocusPrompt={() => close('prompt')}
          />
        )}
      </div>
      {/* Says which image is open now. */}
      <p id="place" class="visually-hidden" aria-live="polite">
        {place}
      </p>
      {isDeleting && generation && (
        <ConfirmDelete generation={generation} onClose={() => setIsDeleting(false)} onDeleted={showNext} />
      )}
    </Dialog>
  );
}

/** A title that can get the focus when the image is no longer in the list. */
const findTitle = () => document.getElementById('credits-title') ?? document.getElementById('gallery-title');

function missingImageText(generation: Generation): string {
  const { status, failure, removedBy } = generation;
  if (removedBy) return removalText(generation);
  if (status === 'deleted') return studioText.viewer.deleted;
  if (status === 'pending') return studioText.viewer.pending;
  return failure?.message ?? studioText.viewer.notCreated;
}

/** Passes the focus on when the element that has it disappears with the image. */
function useKeptFocus(body: { current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const dialog = body.current?.closest('dialog');
    const focused = document.activeElement;
    if (focused?.matches('.turn[aria-disabled="true"]')) {
      (dialog?.querySelector<HTMLElement>('.turn:not([aria-disabled="true"])') ?? dialog)?.focus();
    } else if (focused === document.body) dialog?.focus();
  });
}

/** Keys for the whole viewer: not while the user writes, moves a slider, or has another dialog open. */
function useKeys(onKey: (key: string) => boolean): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (isText(event.target) || document.querySelector('dialog.sheet, dialog.dialog')) return;
      if (latest.current(event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

type StepProps = { icon: 'left' | 'right'; label: string; to: Generation | undefined };

function StepButton({ icon, label, to }: StepProps) {
  return (
    <IconButton
      icon={icon}
      label={label}
      isOverImage
      look={`turn ${icon}`}
      data-repeat
      aria-disabled={!to}
      onClick={() => to && goToImage(to.id)}
    />
  );
}
