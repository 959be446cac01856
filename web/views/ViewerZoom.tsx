import type { ComponentChildren } from 'preact';
import { IconButton } from '../components/Button.tsx';
import { percentText } from '../strings/format.ts';
import { studioText } from '../strings/studio.ts';
import type { Zoom } from './useZoom.ts';

const zoomStep = 1.5;
const moveStep = 80;

/** @returns true if the key zooms the image or moves a zoomed one */
export function moveByKey({ view, zoomBy, moveBy, reset }: Zoom, key: string): boolean {
  const zooms: Record<string, () => void> = {
    '+': () => zoomBy(zoomStep),
    '=': () => zoomBy(zoomStep),
    '-': () => zoomBy(1 / zoomStep),
    '0': reset,
  };
  const moves: Record<string, () => void> = {
    ArrowLeft: () => moveBy(moveStep, 0),
    ArrowRight: () => moveBy(-moveStep, 0),
    ArrowUp: () => moveBy(0, moveStep),
    ArrowDown: () => moveBy(0, -moveStep),
  };
  const act = zooms[key] ?? (view.value.scale > 1 ? moves[key] : undefined);
  act?.();
  return act !== undefined;
}

export function ZoomButtons({ zoom, children }: { zoom: Zoom; children: ComponentChildren }) {
  const { scale } = zoom.view.value;
  const isFitted = scale === 1;
  return (
    <div class="zoom-buttons">
      {children}
      <IconButton
        icon="minus"
        label={studioText.viewer.zoomOut}
        look="plain"
        data-repeat
        aria-disabled={isFitted}
        onClick={() => zoom.zoomBy(1 / zoomStep)}
      />
      <button
        type="button"
        class="plain scale"
        aria-label={isFitted ? studioText.viewer.isFitted : studioText.viewer.fitAgain(percentText(scale))}
        title={studioText.viewer.scaleHint}
        onClick={zoom.reset}
      >
        {isFitted ? studioText.viewer.fit : percentText(scale)}
      </button>
      <IconButton
        icon="plus"
        label={studioText.viewer.zoomIn}
        look="plain"
        data-repeat
        onClick={() => zoom.zoomBy(zoomStep)}
      />
    </div>
  );
}
