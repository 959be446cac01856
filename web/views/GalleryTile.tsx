import { useRef, useState } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Button, IconButton } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import type { IconName } from '../components/Icon.tsx';
import { AiMark, Tile } from '../components/Tile.tsx';
import { announce } from '../state/announce.ts';
import type { GalleryItem } from '../state/galleryGroups.ts';
import { addReference, download, reuse } from '../state/imageActions.ts';
import { usePageState } from '../state/pageState.ts';
import { imageHref } from '../state/route.ts';
import { text } from '../strings/en.ts';
import { studioText } from '../strings/studio.ts';
import { MakingTile } from './MakingTile.tsx';

/** One place in the gallery. A generation that is being made becomes its image here. */
export function GalleryTile({ item }: { item: GalleryItem }) {
  return item.generation ? <ImageTile generation={item.generation} /> : <MakingTile pending={item.pending} />;
}

const longPressMs = 450;

function ImageTile({ generation }: { generation: Generation }) {
  const { id, prompt, image } = generation;
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  // Made at the first hover: thousands of tiles scroll past without one.
  const [hasActions, setHasActions] = useState(false);
  const press = useLongPress(() => setIsMenuOpen(true));
  return (
    <div class="image-tile" onPointerEnter={() => setHasActions(true)} {...press}>
      <a
        href={imageHref(id)}
        id={`image-${id}`}
        aria-label={text.gallery.open(prompt ?? '')}
        draggable={false}
      >
        {image && <Tile image={image} />}
        <span class="caption" dir="auto" aria-hidden="true">
          {prompt}
        </span>
      </a>
      <AiMark />
      {/* For the mouse. The keyboard and screen readers find all actions in the viewer. */}
      {hasActions && (
        <div class="tile-actions" aria-hidden="true">
          <TileActions generation={generation}>
            {(icon, label, run) => (
              <IconButton
                key={label}
                icon={icon}
                label={label}
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
  const actions: [IconName, string, () => Promise<void> | void][] = [
    ['download', studioText.viewer.download, () => download(generation)],
    ['pen', studioText.viewer.reuse, reusePrompt],
    [
      'imagePlus',
      studioText.viewer.useAsReference,
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
    onPointerUp: end,
    onPointerMove: ({ movementX, movementY }: PointerEvent) => {
      if (Math.abs(movementX) + Math.abs(movementY) > 3) end();
    },
    onPointerCancel: end,
    onContextMenu: (event: Event) => {
      if (wasLong.current || timer.current !== undefined) event.preventDefault();
    },
    onClickCapture: (event: Event) => {
      if (!wasLong.current || !(event.target as Element).closest('a')) return;
      wasLong.current = false;
      event.preventDefault();
    },
  };
}
