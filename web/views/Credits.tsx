import { useEffect } from 'preact/hooks';
import type { Entry } from '../../shared/contract.ts';
import { PurseDrawing } from '../components/drawings.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { More } from '../components/More.tsx';
import { usePageState } from '../state/pageState.ts';
import { imageHref } from '../state/route.ts';
import { text } from '../strings/en.ts';
import { number, signed, timeText, wholeTimeText } from '../strings/format.ts';
import { allowanceText, entryText } from '../strings/messages.ts';

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
        {text.credits.title}
      </h1>
      {balance && <p class="total">{text.common.credits(balance.balance)}</p>}
      {account.allowance.value && <p class="quiet">{allowanceText(account.allowance.value)}</p>}
      {account.debt.value > 0 && <p class="debt">{text.credits.debt(account.debt.value)}</p>}
      <BuyButtons />
      {items.value.length > 0 && <Entries entries={items.value} />}
      {items.value.length === 0 && state.value === 'complete' && (
        <EmptyState drawing={<PurseDrawing />} title={text.credits.emptyTitle}>
          <p>{text.credits.empty}</p>
        </EmptyState>
      )}
      {problem.value && (
        <p class="notice" role="alert">
          {problem.value}
        </p>
      )}
      {(state.value === 'more' || problem.value) && (
        <More onMore={ledger.more} isLoading={isLoading.value} count={items.value.length} />
      )}
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
            {text.credits.buy}
          </button>
        )}
        <button
          type="button"
          aria-disabled={leavingFor.value === 'portal'}
          onClick={() => void purchases.openReceipts()}
        >
          {text.credits.receipts}
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

function Entries({ entries }: { entries: readonly Entry[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">{text.credits.date}</th>
            <th scope="col">{text.credits.what}</th>
            <th scope="col" class="number">
              {text.credits.amount}
            </th>
            <th scope="col" class="number">
              {text.credits.balance}
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
                    <a href={imageHref(entry.generationId)}>{text.credits.showImage}</a>
                  </>
                )}
              </td>
              <td class={entry.amount < 0 ? 'number' : 'number plus'}>{signed(entry.amount)}</td>
              <td class="number">{number(entry.balance)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
