import type { Image } from '../../shared/contract.ts';
import { text } from '../strings/en.ts';

type Props = { image: Pick<Image, 'thumbnailUrl' | 'width' | 'height'>; alt?: string };

/** One whole image, which fades in once it is loaded. An `AiMark` stands beside it. One that cannot be loaded is tried again. */
export function Tile({ image: { thumbnailUrl, width, height }, alt = '' }: Props) {
  return (
    <img
      src={thumbnailUrl}
      alt={alt}
      width={width}
      height={height}
      decoding="async"
      onLoad={({ currentTarget }) => currentTarget.classList.add('loaded')}
      onError={({ currentTarget }) => loadAgain(currentTarget)}
    />
  );
}

const loadAgainMs = 5_000;

/** After a while, or as soon as the browser is back online. */
function loadAgain(image: HTMLImageElement): void {
  const again = () => {
    clearTimeout(timer);
    removeEventListener('online', again);
    const { src } = image;
    if (image.isConnected) image.src = src;
  };
  const timer = setTimeout(again, loadAgainMs);
  addEventListener('online', again);
}

/** The small mark that every image has. */
export function AiMark() {
  return (
    <span class="ai" title={text.common.madeWithAi}>
      {text.common.ai}
    </span>
  );
}
