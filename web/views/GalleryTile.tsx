import { useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Button, IconButton } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { Icon, type IconName } from '../components/Icon.tsx';
import { AiMark, Tile } from '../components/Tile.tsx';
import { announce } from '../state/announce.ts';
import type { GalleryItem } from '../state/galleryGroups.ts';
import { addReference, download, reuse, toggleFavourite } from '../state/imageActions.ts';
import { usePageState } from '../state/pageState.ts';
import { imageHref } from '../state/route.ts';
import { search as searchText } from '../strings/en/search.ts';
import { text } from '../strings/en.ts';
import { timeText } from '../strings/format.ts';
import { MakingTile } from './MakingTile.tsx';

/** One place in the gallery. A generation that is being made becomes its image here. */
export function GalleryTile({ item }: { item: GalleryItem }) {
  return item.generation ? <ImageTile generation={item.generation} /> : <MakingTile pending={item.pending} />;
}

const longPressMs = 450;

function ImageTile({ generation }: { generation: Generation }) {
  const { id, prompt, image, favourite } = generation;
  const { selection } = usePageState();
  const isSelecting = selection.isOn.value;
  const isSelected = isSelecting && selection.ids.value.has(id);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  // Made at the first hover: thousands of tiles scroll past without one.
  const [hasActions, setHasActions] = useState(false);
  const press = useLongPress(() => (isSelecting ? selection.toggle(id) : setIsMenuOpen(true)));
  const pageState = usePageState();

  /** While images are selected, a click selects. With Shift it always does, up to this image. */
  const select = (event: MouseEvent) => {
    if (!isSelecting && !event.shiftKey) return;
    event.preventDefault();
    if (event.shiftKey) selection.extendTo(id);
    else selection.toggle(id);
  };
  const byKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'x' || (isSelecting && event.key === ' ')) selection.toggle(id);
    else if (event.key === 'f') void toggleFavourite(pageState, generation);
    else return;
    event.preventDefault();
  };
  return (
    <div
      class={isSelected ? 'image-tile selected' : 'image-tile'}
      onPointerEnter={() => setHasActions(true)}
      {...press}
    >
      <a
        href={imageHref(id)}
        id={`image-${id}`}
        {...(isSelecting
          ? {
              role: 'checkbox',
              'aria-checked': isSelected,
              'aria-label': text.gallery.selectOne(prompt ?? ''),
            }
          : { 'aria-label': text.gallery.open(prompt ?? '') })}
        aria-description={describe(generation)}
        draggable={false}
        onClick={select}
        onKeyDown={byKey}
      >
        {image && <Tile image={image} />}
        <span class="caption" aria-hidden="true">
          <span class="clamp" dir="auto">
            {prompt}
          </span>
        </span>
      </a>
      <AiMark />
      {favourite && (
        <span class="favourite-mark" title={searchText.favourites}>
          <Icon name="heart" />
        </span>
      )}
      {isSelecting && (
        <span class="select-mark" aria-hidden="true">
          {isSelected && <Icon name="check" />}
        </span>
      )}
      {/* For the mouse. The keyboard and screen readers find all actions in the viewer. */}
      {hasActions && !isSelecting && (
        <div class="tile-actions" aria-hidden="true">
          <TileActions generation={generation}>
            {(icon, label, run) => (
              <IconButton
                key={label}
                icon={icon}
                label={label}
                {...(icon === 'heart' && favourite && { look: 'filled' })}
                isSmall
                isOverImage
                tabIndex={-1}
                onClick={run}
              />
            )}
          </TileActions>
        </div>
      )}
      {isMenuOpen && (
        <Dialog title={text.gallery.actions} class="dialog action-sheet" onClose={() => setIsMenuOpen(false)}>
          <p class="clamp quiet" dir="auto">
            {prompt}
          </p>
          <TileActions generation={generation}>
            {(icon, label, run) => (
              <Button
                key={label}
                icon={icon}
                isWide
                onClick={() => {
                  setIsMenuOpen(false);
                  run();
                }}
              >
                {label}
              </Button>
            )}
          </TileActions>
          <Button isWide onClick={() => setIsMenuOpen(false)}>
            {text.common.close}
          </Button>
        </Dialog>
      )}
    </div>
  );
}

/** What tells images with the same prompt apart. */
function describe({ createdAt, image, favourite, shareUrl }: Generation): string {
  return [
    timeText(createdAt),
    image && text.common.pixels(image.width, image.height),
    favourite && text.gallery.favourite,
    shareUrl && text.gallery.shared,
  ]
    .filter(Boolean)
    .join(', ');
}

type ActionsProps = {
  generation: Generation;
  children: (icon: IconName, label: string, run: () => void) => preact.ComponentChild;
};

/** What can be done with an image without opening it. */
function TileActions({ generation, children }: ActionsProps) {
  const pageState = usePageState();
  const focusPrompt = () => document.getElementById('prompt')?.focus();
  const reusePrompt = () => {
    reuse(pageState, generation);
    focusPrompt();
  };
  const { id, favourite } = generation;
  const actions: [IconName, string, () => Promise<void> | void][] = [
    ['check', text.gallery.select, () => pageState.selection.toggle(id)],
    [
      'heart',
      favourite ? text.gallery.unfavourite : text.gallery.favourite,
      () => toggleFavourite(pageState, generation),
    ],
    ['download', text.gallery.download, () => download(generation)],
    ['pen', text.gallery.reuse, reusePrompt],
    [
      'imagePlus',
      text.gallery.useAsReference,
      () => void (addReference(pageState, generation) && focusPrompt()),
    ],
  ];
  return (
    <>
      {actions.map(([icon, label, action]) =>
        children(icon, label, () => {
          Promise.resolve(action()).catch(() => announce(text.common.actionFailed(label)));
        }),
      )}
    </>
  );
}

/** Longest time from the end of a touch to its click. */
const clickMsMax = 400;

/** The click at the end of a long press would close the sheet that the press has opened, or open the image. */
function ignoreNextClick(): void {
  const ignoring = new AbortController();
  const ignore = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    ignoring.abort();
  };
  addEventListener('click', ignore, { capture: true, signal: ignoring.signal });
  setTimeout(() => ignoring.abort(), clickMsMax);
}

/** Calls `onPress` when a finger stays on the element. The click that follows is ignored. */
function useLongPress(onPress: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const wasLong = useRef(false);
  const end = () => clearTimeout(timer.current);
  return {
    onPointerDown({ pointerType }: PointerEvent) {
      wasLong.current = false;
      if (pointerType !== 'touch') return;
      timer.current = setTimeout(() => {
        wasLong.current = true;
        onPress();
      }, longPressMs);
    },
    onPointerUp() {
      end();
      if (wasLong.current) ignoreNextClick();
    },
    onPointerMove: ({ movementX, movementY }: PointerEvent) => {
      if (Math.abs(movementX) + Math.abs(movementY) > 3) end();
    },
    onPointerCancel: end,
    onContextMenu: (event: Event) => {
      if (wasLong.current || timer.current !== undefined) event.preventDefault();
    },
  };
}
