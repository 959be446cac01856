import type { Pack } from '../../shared/contract.ts';
import { partPriceText, priceText } from '../money.ts';
import { usePageState } from '../state/pageState.ts';
import { credits, tierNames } from '../words.ts';
import { Dialog } from './Dialog.tsx';

/** The credit packs. A click on one leads to Stripe's page. */
export function BuyDialog() {
  const { purchases } = usePageState();
  const { packs, isDialogOpen, leavingFor, problem } = purchases;
  if (!isDialogOpen.value || !packs.value) return null;
  return (
    <Dialog title="Buy credits" class="sheet" onClose={purchases.closeDialog}>
      <h2>Buy credits</h2>
      <ul class="packs">
        {packs.value.map((pack) => (
          <li key={pack.id}>
            <PackButton pack={pack} />
          </li>
        ))}
      </ul>
      <p class="quiet">You pay on Stripe's page. Taxes may be added there. Your draft stays here.</p>
      {leavingFor.value !== undefined && <p role="status">Opening the checkout …</p>}
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="row end">
        <button type="button" onClick={purchases.closeDialog}>
          Close
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
      <span>
        {credits(count)} · {priceText(amount, currency)}
      </span>{' '}
      {tier && (
        <span class="quiet">
          {partPriceText((amount / count) * tier.credits, currency)} per {tierNames[tier.id]} image
        </span>
      )}
    </button>
  );
}
