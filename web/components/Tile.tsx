import type { Image } from '../../shared/contract.ts';
import { text } from '../strings/en.ts';

type Props = { image: Pick<Image, 'thumbnailUrl' | 'width' | 'height'>; alt?: string };

/** One whole image, which fades in once it is loaded. An `AiMark` stands beside it. */
export function Tile({ image: { thumbnailUrl, width, height }, alt = '' }: Props) {
  return (
    <img
      src={thumbnailUrl}
      alt={alt}
      width={width}
      height={height}
      decoding="async"
      onLoad={({ currentTarget }) => currentTarget.classList.add('loaded')}
    />
  );
}

/** The small mark that every image has. */
export function AiMark() {
  return (
    <span class="ai" title={text.common.madeWithAi}>
      {text.common.ai}
    </span>
  );
}
