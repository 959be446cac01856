import type { Orientation, TierOffer } from '../../shared/contract.ts';
import { Popover } from '../components/Popover.tsx';
import { Segments } from '../components/Segments.tsx';
import { countMax } from '../state/draft.ts';
import { usePageState } from '../state/pageState.ts';
import { getOffer, getResolutions, getShape } from '../state/shapes.ts';
import { text } from '../strings/en.ts';

/** The chips of the composer: shape, resolution, how many, and style. */
export function ComposerSettings() {
  const { account, draft } = usePageState();
  const offer = account.tiers.value.find(({ id }) => id === draft.tier.value);
  const { tier, orientation, resolution, count } = draft;
  if (!offer) return <p class="settings quiet">{text.composer.loadingPrices}</p>;
  const resolutions = getResolutions(offer);
  const offered = getOffer(offer, resolution.value).resolution;
  return (
    <fieldset class="settings" aria-label={text.composer.settings}>
      <Popover
        label={text.composer.shape}
        icon="image"
        value={text.composer.shapeName(tier.value, orientation.value)}
      >
        {() => <ShapePicker />}
      </Popover>
      {resolutions.length > 1 && (
        <Popover label={text.composer.resolution} icon="pixels" value={offered} isOn={offered !== '1K'}>
          {() => (
            <Segments
              name="resolution"
              legend={text.composer.resolution}
              look="choices"
              value={offered}
              choices={resolutions.map((one) => {
                const { width, height } = getShape(one, orientation.value);
                return {
                  value: one.resolution,
                  label: (
                    <>
                      <b>{one.resolution}</b> <span>{text.common.pixels(width, height)}</span>{' '}
                      <span class="quiet">{text.composer.each(one.credits)}</span>
                    </>
                  ),
                };
              })}
              onChange={(value) => {
                resolution.value = value;
              }}
            />
          )}
        </Popover>
      )}
      <Popover
        label={text.composer.count}
        icon="stack"
        value={text.composer.countOfImages(count.value)}
        isOn={count.value > 1}
      >
        {() => (
          <Segments
            name="count"
            legend={text.composer.count}
            value={count.value}
            choices={Array.from({ length: countMax }, (_, i) => ({ value: i + 1, label: String(i + 1) }))}
            onChange={(value) => {
              count.value = value;
            }}
          />
        )}
      </Popover>
      <StylePicker />
    </fieldset>
  );
}

/** The three shapes, drawn at the same scale, and how they are turned. */
function ShapePicker() {
  const { account, draft } = usePageState();
  const tiers = account.tiers.value;
  const offer = tiers.find(({ id }) => id === draft.tier.value);
  const isSquare = offer !== undefined && offer.width === offer.height;
  const widest = Math.max(1, ...tiers.map(({ width, height }) => Math.max(width, height)));
  return (
    <>
      <Segments
        name="tier"
        legend={text.composer.shape}
        look="shapes"
        value={draft.tier.value}
        choices={tiers.map((one) => ({
          value: one.id,
          label: <ShapeCard offer={one} orientation={draft.orientation.value} widest={widest} />,
        }))}
        onChange={(value) => {
          draft.tier.value = value;
        }}
      />
      <Segments<Orientation>
        name="orientation"
        legend={text.composer.orientation}
        value={draft.orientation.value}
        disabled={isSquare}
        choices={[
          { value: 'landscape', label: text.composer.landscape },
          { value: 'portrait', label: text.composer.portrait },
        ]}
        onChange={(value) => {
          draft.orientation.value = value;
        }}
      />
    </>
  );
}

function ShapeCard(props: { offer: TierOffer; orientation: Orientation; widest: number }) {
  const { offer, orientation, widest } = props;
  const { draft } = usePageState();
  const offered = getOffer(offer, draft.resolution.value);
  const { width, height } = getShape(offered, orientation);
  const scale = (50 / widest) * (offer.width / offered.width);
  return (
    <>
      <span class="shape" aria-hidden="true">
        <svg width={width * scale} height={height * scale} aria-hidden="true">
          <rect width="100%" height="100%" rx="4" />
        </svg>
      </span>
      <b>{text.composer.shapeName(offer.id, orientation)}</b>{' '}
      <span class="quiet">{text.common.pixels(width, height)}</span>{' '}
      <span class="price">{text.composer.each(offered.credits)}</span>
    </>
  );
}

const { styleList } = text.composer;

/** A style is words at the end of the prompt: the user sees them and can change them. */
function StylePicker() {
  const { draft } = usePageState();
  const current = styleList.find(({ words }) => draft.prompt.value.includes(words));
  const choose = (words: string) => {
    const plain = current
      ? draft.prompt.value.replace(`, ${current.words}`, '').replace(current.words, '')
      : draft.prompt.value;
    const trimmed = plain.trimEnd();
    draft.prompt.value = words === '' ? trimmed : trimmed === '' ? words : `${trimmed}, ${words}`;
  };
  return (
    <Popover
      label={text.composer.style}
      icon="brush"
      value={current?.name ?? text.composer.style}
      isOn={current !== undefined}
    >
      {() => (
        <Segments
          name="style"
          legend={text.composer.styles}
          look="choices two"
          value={current?.words ?? ''}
          choices={[
            { value: '', label: <b>{text.composer.noStyle}</b> },
            ...styleList.map(({ name, words }) => ({
              value: words,
              label: (
                <>
                  <b>{name}</b> <span class="quiet">{words}</span>
                </>
              ),
            })),
          ]}
          onChange={choose}
        />
      )}
    </Popover>
  );
}
