import type { Pack } from '../../shared/contract.ts';
import { Dialog } from '../components/Dialog.tsx';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { partPriceText, priceText } from '../strings/format.ts';

/** The credit packs. A click on one leads to Stripe's page. */
export function BuyDialog() {
  const { purchases } = usePageState();
  const { packs, isDialogOpen, leavingFor, problem } = purchases;
  if (!isDialogOpen.value || !packs.value) return null;
  return (
    <Dialog title={text.credits.buy} class="sheet" onClose={purchases.closeDialog}>
      <h2>{text.credits.buy}</h2>
      <ul class="packs">
        {packs.value.map((pack) => (
          <li key={pack.id}>
            <PackButton pack={pack} />
          </li>
        ))}
      </ul>
      <p class="quiet">{text.buying.onStripe}</p>
      {leavingFor.value !== undefined && <p role="status">{text.buying.opening}</p>}
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="row end">
        <button type="button" onClick={purchases.closeDialog}>
          {text.common.close}
        </button>
      </div>
    </Dialog>
  );
}

function PackButton({ pack: { id, credits: count, amount, currency } }: { pack: Pack }) {
  const { purchases, account } = usePageState();
  const tier = account.tiers.value[0];
  return (
    <button
      type="button"
      class="wide"
      aria-disabled={purchases.leavingFor.value !== undefined}
      onClick={() => void purchases.buy(id)}
    >
      <span>{text.buying.pack(count, priceText(amount, currency))}</span>{' '}
      {tier && (
        <span class="quiet">
          {text.buying.pricePerImage(
            partPriceText((amount / count) * tier.credits, currency),
            text.composer.shapes[tier.id].name,
          )}
        </span>
      )}
    </button>
  );
}
