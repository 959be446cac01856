import type { Orientation, TierOffer } from '../../shared/contract.ts';
import { usePageState } from '../state/pageState.ts';
import { credits, getShape, tierNames } from '../words.ts';

/** The tiers as cards, each with its shape, pixels and price. */
export function TierPicker() {
  const { account, draft } = usePageState();
  const widest = Math.max(1, ...account.tiers.value.map(({ width, height }) => Math.max(width, height)));
  return (
    <fieldset class="tiers">
      <legend>Size</legend>
      {account.tiers.value.length === 0 && <p class="quiet">Loading prices …</p>}
      <div class="cards">
        {account.tiers.value.map((offer) => (
          <label key={offer.id} class="tier">
            <input
              type="radio"
              name="tier"
              checked={draft.tier.value === offer.id}
              onChange={() => {
                draft.tier.value = offer.id;
              }}
            />
            <TierShape offer={offer} orientation={draft.orientation.value} widest={widest} />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function TierShape(props: { offer: TierOffer; orientation: Orientation; widest: number }) {
  const { offer, orientation, widest } = props;
  const { width, height, aspectRatio } = getShape(offer, orientation);
  // All shapes have the same scale, so that users can compare them.
  const scale = 44 / widest;
  return (
    <>
      <span class="shape" aria-hidden="true">
        <svg width={width * scale} height={height * scale} aria-hidden="true">
          <rect width="100%" height="100%" rx="3" />
        </svg>
      </span>
      <span class="name">{tierNames[offer.id]}</span>
      <span class="quiet">
        {aspectRatio}
        <br />
        {width} × {height}
      </span>
      <span class="price">{credits(offer.credits)}</span>
    </>
  );
}

const orientations = [
  ['landscape', 'Landscape'],
  ['portrait', 'Portrait'],
] as const;

export function OrientationPicker() {
  const { account, draft } = usePageState();
  const offer = account.tiers.value.find(({ id }) => id === draft.tier.value);
  const isSquare = offer !== undefined && offer.width === offer.height;
  return (
    <fieldset class="orientations" disabled={isSquare}>
      <legend>Orientation</legend>
      <div class="segments">
        {orientations.map(([value, name]) => (
          <label key={value}>
            <input
              type="radio"
              name="orientation"
              checked={draft.orientation.value === value}
              onChange={() => {
                draft.orientation.value = value;
              }}
            />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
