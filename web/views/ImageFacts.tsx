import type { Generation } from '../../shared/contract.ts';
import { Icon } from '../components/Icon.tsx';
import { AiMark, Tile } from '../components/Tile.tsx';
import { TilePlaceholder } from '../components/TilePlaceholder.tsx';
import { countUploads, listReferenceIds } from '../state/imageActions.ts';
import { goToImage } from '../state/route.ts';
import { useGenerations } from '../state/useImage.ts';
import { text } from '../strings/en.ts';
import { sizeText, timeText, wholeTimeText } from '../strings/format.ts';
import { studioText } from '../strings/studio.ts';

/** What is known of an image: model, size, cost, references. */
export function ImageFacts({ generation }: { generation: Generation }) {
  const { status, tier, orientation, aspectRatio, resolution, image, model, createdAt } = generation;
  const { length: reducedCount } = generation.reducedReferences ?? [];
  return (
    <section class="facts details">
      <h2>{studioText.viewer.details}</h2>
      <dl>
        {model && <Fact name={studioText.viewer.model}>{model}</Fact>}
        <Fact name={text.composer.shape}>{text.composer.shapeName(tier, orientation, aspectRatio)}</Fact>
        <Fact name={text.composer.resolution}>
          {resolution}
          {image && ` · ${text.common.pixels(image.width, image.height)}`}
        </Fact>
        {status !== 'pending' && <Fact name={studioText.viewer.cost}>{costOf(generation)}</Fact>}
        {image && (
          <Fact name={studioText.viewer.file}>
            {studioText.viewer.formatName(image.mimeType)} · {sizeText(image.bytes)}
          </Fact>
        )}
        <Fact name={studioText.viewer.created}>
          <time dateTime={createdAt} title={wholeTimeText(createdAt)}>
            {timeText(createdAt)}
          </time>
        </Fact>
      </dl>
      <References generation={generation} />
      {reducedCount > 0 && <p class="quiet">{studioText.viewer.reduced(reducedCount)}</p>}
      {image && (
        <p class="made quiet">
          <AiMark /> {text.common.madeWithAi}
          {image.contentCredentials === 'present' && `, ${studioText.viewer.contentCredentials}`}
        </p>
      )}
    </section>
  );
}

function costOf({ status, cached, credits }: Generation): string {
  if (status === 'refunded') return studioText.viewer.refunded;
  return cached ? studioText.viewer.cached : text.common.credits(credits);
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function References({ generation }: { generation: Generation }) {
  const ids = listReferenceIds(generation);
  const found = useGenerations(ids);
  const uploads = countUploads(generation);
  if (ids.length + uploads === 0) return null;
  return (
    <>
      <h2>{text.references.title}</h2>
      {ids.length > 0 && (
        <ul class="thumbs">
          {ids.map((id, i) => {
            const { image, prompt } = found[i] ?? {};
            return (
              <li key={id}>
                {image ? (
                  <button
                    type="button"
                    aria-label={text.gallery.open(prompt ?? '')}
                    onClick={() => goToImage(id)}
                  >
                    <Tile image={image} />
                  </button>
                ) : (
                  <TilePlaceholder label={studioText.viewer.deleted}>
                    <Icon name={found[i] === null ? 'bin' : 'image'} />
                  </TilePlaceholder>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {uploads > 0 && <p class="quiet">{studioText.viewer.uploads(uploads)}</p>}
    </>
  );
}
