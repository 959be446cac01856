import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Image } from '../../shared/contract.ts';
import { Icon } from '../components/Icon.tsx';
import { studioText } from '../strings/studio.ts';
import type { Zoom } from './useZoom.ts';

type Props = {
  image: Image;
  alt: string;
  /** The image that this one changes, to compare both. */
  before: Image | undefined;
  picture: { current: HTMLDivElement | null };
  zoom: Zoom;
};

/** The image in the viewer, with its thumbnail until it is loaded. */
export function ViewerImage({ image, alt, before, picture, zoom }: Props) {
  const { scale, x, y } = zoom.view.value;
  return (
    <div class="fit">
      <div
        class={zoom.isMoving.value ? 'picture moving' : 'picture'}
        ref={picture}
        style={{
          '--natural': `${image.width}px`,
          backgroundImage: `url("${image.thumbnailUrl}")`,
          transform: `translate(${x}px, ${y}px) scale(${scale})`,
        }}
      >
        <img src={image.url} alt={alt} width={image.width} height={image.height} draggable={false} />
        {before && <Comparison before={before} />}
      </div>
    </div>
  );
}

/** The image before the edit, over the left part of the one after it. The range moves the line between them. */
function Comparison({ before }: { before: Image }) {
  const part = useSignal(50);
  const range = useRef<HTMLInputElement>(null);
  useEffect(() => range.current?.focus(), []);
  return (
    <div class="comparison" style={{ '--part': `${part.value}%` }}>
      <img class="before" src={before.url} alt={studioText.viewer.beforeAlt} draggable={false} />
      <span class="tag left">{studioText.viewer.before}</span>
      <span class="tag right">{studioText.viewer.after}</span>
      <input
        ref={range}
        type="range"
        min="0"
        max="100"
        aria-label={studioText.viewer.comparison}
        value={part.value}
        onInput={({ currentTarget }) => {
          part.value = currentTarget.valueAsNumber;
        }}
      />
      <span class="line" aria-hidden="true">
        <span class="handle">
          <Icon name="compare" />
        </span>
      </span>
    </div>
  );
}
