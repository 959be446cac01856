import { useEffect } from 'preact/hooks';
import type { Entry } from '../../shared/contract.ts';
import { usePageState } from '../state/pageState.ts';
import { imageHref } from '../state/route.ts';
import { allowanceText, credits, debtText, entryText, signed, timeText, wholeTimeText } from '../words.ts';
import { More } from './Gallery.tsx';

/** The user's ledger entries, each with the balance after it. */
export function Credits() {
  const { account, ledger } = usePageState();
  const balance = account.balance.value;
  // A new sequence means that there is a new entry.
  useEffect(() => {
    void ledger.refresh();
  }, [ledger, balance?.sequence]);
  const { items, state, isLoading, problem } = ledger;
  return (
    <section class="credits" aria-labelledby="credits-title">
      <h1 id="credits-title" tabIndex={-1}>
        Credits
      </h1>
      {balance && <p class="total">{credits(balance.balance)}</p>}
      {account.allowance.value && <p class="quiet">{allowanceText(account.allowance.value)}</p>}
      {account.debt.value > 0 && <p class="debt">{debtText(account.debt.value)}</p>}
      <BuyButtons />
      {items.value.length > 0 && <Entries entries={items.value} />}
      {items.value.length === 0 && state.value === 'complete' && (
        <div class="empty">
          <h2>No credit history yet.</h2>
          <p>Credits that you receive, spend or get refunded are listed here.</p>
        </div>
      )}
      {problem.value && (
        <p class="notice" role="alert">
          {problem.value}
        </p>
      )}
      {(state.value === 'more' || problem.value) && <More onMore={ledger.more} isLoading={isLoading.value} />}
    </section>
  );
}

/** Nothing where neither is anything sold, nor has this user bought anything. */
function BuyButtons() {
  const { purchases, ledger } = usePageState();
  const isSold = Boolean(purchases.packs.value?.length);
  const hasBought = ledger.items.value.some(({ type }) => type === 'purchase');
  if (!isSold && !hasBought) return null;
  const { problem, leavingFor, isDialogOpen } = purchases;
  return (
    <>
      <div class="row">
        {isSold && (
          <button type="button" class="primary" aria-haspopup="dialog" onClick={purchases.open}>
            Buy credits
          </button>
        )}
        <button
          type="button"
          aria-disabled={leavingFor.value === 'portal'}
          onClick={() => void purchases.openReceipts()}
        >
          Receipts
        </button>
      </div>
      {problem.value && !isDialogOpen.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}

function Entries({ entries }: { entries: Entry[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">Date</th>
            <th scope="col">What</th>
            <th scope="col" class="number">
              Amount
            </th>
            <th scope="col" class="number">
              Balance
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td>
                <time dateTime={entry.createdAt} title={wholeTimeText(entry.createdAt)}>
                  {timeText(entry.createdAt)}
                </time>
              </td>
              <td>
                {entryText(entry)}
                {entry.type === 'debit' && entry.generationId && (
                  <>
                    {' '}
                    <a href={imageHref(entry.generationId)}>Show image</a>
                  </>
                )}
              </td>
              <td class={entry.amount < 0 ? 'number' : 'number plus'}>{signed(entry.amount)}</td>
              <td class="number">{entry.balance}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
