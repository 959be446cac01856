import type { AspectRatio, Orientation, Resolution, TierOffer } from '../../shared/contract.ts';
import { Popover } from '../components/Popover.tsx';
import { Segments } from '../components/Segments.tsx';
import { announce } from '../state/announce.ts';
import { countMax } from '../state/draft.ts';
import { type PageState, usePageState } from '../state/pageState.ts';
import {
  getAspectRatio,
  getOffer,
  getResolutions,
  getShape,
  listRatios,
  type ResolutionOffer,
  toNumber,
  turnRatio,
} from '../state/shapes.ts';
import { text } from '../strings/en.ts';

/**
 * What a press of the button costs, at the resolution that is on offer.
 * @returns nothing before the prices are loaded
 * @property shortage says that the balance, as far as it is known, is too low
 */
export function getPrice(
  account: PageState['account'],
  draft: PageState['draft'],
): { price?: number; resolution?: Resolution; shortage?: string | false } {
  const offer = account.tiers.value.find(({ id }) => id === draft.tier.value);
  if (!offer) return {};
  const { credits, resolution } = getOffer(offer, draft.resolution.value);
  const price = credits * draft.count.value;
  const { balance = price } = account.balance.value ?? {};
  return { price, resolution, shortage: price > balance && text.composer.shortage(price, balance) };
}

/** The chips of the composer: shape, resolution, how many, and style. */
export function ComposerSettings() {
  const { account, draft } = usePageState();
  const offer = account.tiers.value.find(({ id }) => id === draft.tier.value);
  const { tier, orientation, aspectRatio, resolution, count } = draft;
  if (!offer) return <p class="settings quiet">{text.composer.loadingPrices}</p>;
  const resolutions = getResolutions(offer);
  /** Called before a choice changes the draft. */
  const announcePrice = () => {
    const before = getPrice(account, draft).price;
    setTimeout(() => {
      const { price = 0, shortage } = getPrice(account, draft);
      if (price !== before) announce(shortage || text.composer.price(price), false);
    });
  };
  const offered = getOffer(offer, resolution.value).resolution;
  return (
    <fieldset class="settings" aria-label={text.composer.settings} onChangeCapture={announcePrice}>
      <Popover
        label={text.composer.shape}
        icon="image"
        value={text.composer.shapeName(tier.value, orientation.value, aspectRatio.value)}
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
                return {
                  value: one.resolution,
                  label: (
                    <>
                      <b>{one.resolution}</b> <span>{pixelsText(one, draft)}</span>{' '}
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

/** An exact ratio that is not the shape's own has about as many pixels, but `account` does not say how they are spread. */
function pixelsText(offer: ResolutionOffer, draft: PageState['draft']): string {
  const { width, height } = getShape(offer, draft.orientation.value);
  if (draft.aspectRatio.value === undefined) return text.common.pixels(width, height);
  return text.composer.megapixels((width * height) / 1e6);
}

/** The three shapes, drawn at the same scale, their exact ratios, and how they are turned. */
function ShapePicker() {
  const { account, draft } = usePageState();
  const tiers = account.tiers.value;
  const { tier, orientation, aspectRatio, setShape } = draft;
  const ratio = getAspectRatio({
    tier: tier.value,
    orientation: orientation.value,
    aspectRatio: aspectRatio.value,
  });
  const canTurn = turnRatio(tier.value, ratio) !== ratio;
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
        onChange={(value) => setShape(value, orientation.value)}
      />
      <Segments<AspectRatio>
        name="ratio"
        legend={text.composer.ratio}
        value={ratio}
        choices={listRatios(tier.value, orientation.value).map((one) => ({
          value: one,
          label: (
            <>
              <RatioDrawing ratio={one} /> {one}
            </>
          ),
        }))}
        onChange={(value) => setShape(tier.value, orientation.value, value)}
      />
      <Segments<Orientation>
        name="orientation"
        legend={text.composer.orientation}
        value={draft.orientation.value}
        disabled={!canTurn}
        choices={[
          { value: 'landscape', label: text.composer.landscape },
          { value: 'portrait', label: text.composer.portrait },
        ]}
        onChange={(value) =>
          setShape(tier.value, value, value === orientation.value ? ratio : turnRatio(tier.value, ratio))
        }
      />
    </>
  );
}

const ratioDrawingPixels = 18;

function RatioDrawing({ ratio }: { ratio: AspectRatio }) {
  const value = toNumber(ratio);
  return (
    <svg
      class="ratio"
      width={ratioDrawingPixels * Math.min(1, value)}
      height={ratioDrawingPixels * Math.min(1, 1 / value)}
      aria-hidden="true"
    >
      <rect width="100%" height="100%" rx="2" />
    </svg>
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
    draft.write(words === '' ? trimmed : trimmed === '' ? words : `${trimmed}, ${words}`);
  };
  return (
    <Popover
      label={text.composer.style}
      icon="brush"
      value={current?.name ?? text.composer.style}
      valueName={current?.name ?? text.composer.none}
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
