import { useEffect, useRef } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { Icon } from '../components/Icon.tsx';
import { Spinner } from '../components/Spinner.tsx';
import { Tile } from '../components/Tile.tsx';
import { TilePlaceholder } from '../components/TilePlaceholder.tsx';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { goToImage } from '../state/route.ts';
import { useRelatives } from '../state/useImage.ts';
import { studioText } from '../strings/studio.ts';

type Props = { generation: Generation; ancestors: Generation[] | undefined };

/** Thumbnails under the image: what it was made from and became, and the images of the same prompt. */
export function ViewerStrips({ generation, ancestors = [] }: Props) {
  const { siblings, edits, pendingSiblings, pendingEdits } = useRelatives(generation);
  const { id, image } = generation;
  return (
    <div class="strips">
      {ancestors.length + edits.length + pendingEdits.length > 0 && (
        <Strip
          label={studioText.viewer.versions}
          images={[...ancestors, generation, ...edits]}
          pending={pendingEdits}
          currentId={id}
        />
      )}
      {image && siblings.length + pendingSiblings.length > 1 && (
        <Strip
          label={studioText.viewer.samePrompt}
          images={siblings}
          pending={pendingSiblings}
          currentId={id}
        />
      )}
    </div>
  );
}

type StripProps = {
  label: string;
  images: Generation[];
  pending: PendingGeneration[];
  currentId: string;
};

function Strip({ label, images, pending, currentId }: StripProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (!list.current || !current) return;
    // Scrolls the strip alone: `scrollIntoView` would move the page, too.
    list.current.scrollLeft = current.offsetLeft - (list.current.clientWidth - current.offsetWidth) / 2;
  }, [currentId, images.length]);
  return (
    <section class="strip" aria-label={label}>
      <h2>{label}</h2>
      <ul ref={list}>
        {images.map(({ id, image, prompt }, i) => (
          <li key={id}>
            {image ? (
              <button
                type="button"
                data-repeat
                aria-label={studioText.viewer.openVersion(i + 1, prompt ?? '')}
                aria-current={id === currentId ? 'true' : undefined}
                title={prompt ?? ''}
                onClick={() => goToImage(id)}
              >
                <Tile image={image} />
              </button>
            ) : (
              <TilePlaceholder label={studioText.viewer.deleted}>
                <Icon name="bin" />
              </TilePlaceholder>
            )}
          </li>
        ))}
        {pending.map((one) => (
          <li key={one.key}>
            <PendingImage pending={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function PendingImage({ pending: { request, progress } }: { pending: PendingGeneration }) {
  const isFailed = progress.value.state === 'failed';
  const label = isFailed ? studioText.viewer.notMade : studioText.viewer.making;
  return (
    <TilePlaceholder label={label(request.prompt)}>
      {isFailed ? <Icon name="warning" /> : <Spinner />}
    </TilePlaceholder>
  );
}
