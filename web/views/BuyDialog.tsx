import '../styles/packs.css';
import type { Pack } from '../../shared/contract.ts';
import { Button } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { usePageState } from '../state/pageState.ts';
import { user } from '../state/session.ts';
import { buying as buyingText } from '../strings/en/buying.ts';
import { credits as creditsText } from '../strings/en/credits.ts';
import { text } from '../strings/en.ts';
import { partPriceText, priceText } from '../strings/format.ts';
import { SendConfirmation } from './SendConfirmation.tsx';

/** The credit packs. A click on one leads to Stripe's page. */
export function BuyDialog() {
  const { purchases, account } = usePageState();
  const { packs, isDialogOpen, leavingFor, problem } = purchases;
  if (!isDialogOpen.value || !packs.value) return null;
  const best = findBestPrice(packs.value);
  const balance = account.balance.value;
  return (
    <Dialog title={creditsText.buy} class="sheet" onClose={purchases.closeDialog}>
      <div>
        <h2>{creditsText.buy}</h2>
        {balance && <p class="quiet">{buyingText.balance(balance.balance)}</p>}
      </div>
      {user.value?.needsVerification && (
        <div class="confirm-first" role="status">
          <p>{buyingText.confirmFirst(user.value.email)}</p>
          <SendConfirmation />
        </div>
      )}
      <ul class="packs">
        {packs.value.map((pack) => (
          <li key={pack.id}>
            <PackButton pack={pack} isBest={pack.id === best} />
          </li>
        ))}
      </ul>
      <p class="quiet">{buyingText.onStripe}</p>
      {leavingFor.value !== undefined && <p role="status">{buyingText.opening}</p>}
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="row end">
        <Button onClick={purchases.closeDialog}>{text.common.close}</Button>
      </div>
    </Dialog>
  );
}

const pricePerCredit = ({ amount, credits }: Pack) => amount / credits;

/** The pack with the lowest price of a credit, if one is cheaper than all others. */
function findBestPrice(packs: readonly Pack[]): string | undefined {
  if (new Set(packs.map(({ currency }) => currency)).size > 1) return undefined;
  const [first, second] = packs.toSorted((one, other) => pricePerCredit(one) - pricePerCredit(other));
  return first && second && pricePerCredit(first) < pricePerCredit(second) ? first.id : undefined;
}

function PackButton({ pack, isBest }: { pack: Pack; isBest: boolean }) {
  const { id, credits: count, amount, currency } = pack;
  const { purchases, account } = usePageState();
  const tier = account.tiers.value[0];
  const isUnconfirmed = user.value?.needsVerification ?? false;
  return (
    <button
      type="button"
      class="wide"
      aria-disabled={isUnconfirmed || purchases.leavingFor.value !== undefined}
      onClick={() => !isUnconfirmed && void purchases.buy(id)}
    >
      <span class="name">{text.common.credits(count)}</span>{' '}
      <span class="price">{priceText(amount, currency)}</span>{' '}
      {tier && (
        <span class="quiet">
          {buyingText.pricePerImage(
            partPriceText((amount / count) * tier.credits, currency),
            text.composer.shapes[tier.id].name,
          )}
        </span>
      )}{' '}
      {isBest && <span class="best">{buyingText.bestPrice}</span>}
    </button>
  );
}
