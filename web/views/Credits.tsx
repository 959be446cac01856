import '../styles/credits.css';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { PurseDrawing } from '../components/drawings.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Icon } from '../components/Icon.tsx';
import { More } from '../components/More.tsx';
import { announce } from '../state/announce.ts';
import { getMonthStart, sumLines } from '../state/ledgerLines.ts';
import { usePageState } from '../state/pageState.ts';
import { imageHref, type Route } from '../state/route.ts';
import { credits as creditsText } from '../strings/en/credits.ts';
import { monthText, number } from '../strings/format.ts';
import { allowanceText } from '../strings/ledger.ts';
import { enoughForText } from '../strings/prices.ts';
import { LedgerTable } from './LedgerTable.tsx';
import { useLedger } from './useLedger.ts';

/** The balance and what it buys, and the ledger as one line for each image or payment. */
export function Credits({ routeBefore }: { routeBefore: Route | undefined }) {
  const { account } = usePageState();
  useEffect(() => {
    if (routeBefore) focusAfter(routeBefore);
  }, []);
  const ledger = useLedger();
  const balance = account.balance.value;
  // A new sequence means that there is a new entry.
  useEffect(() => {
    void ledger.refresh();
  }, [ledger, balance?.sequence]);
  const { items, state, isLoading, problem, isMonthWhole } = ledger;
  return (
    <section class="credits" aria-labelledby="credits-title">
      <h1 id="credits-title" tabIndex={-1}>
        {creditsText.title}
      </h1>
      <Balance />
      {account.debt.value > 0 && <Debt />}
      {items.value.length > 0 && <History />}
      {items.value.length === 0 && state.value === 'complete' && (
        <EmptyState drawing={<PurseDrawing />} title={creditsText.emptyTitle}>
          <p>{creditsText.empty}</p>
        </EmptyState>
      )}
      {problem.value && (
        <p class="notice" role="alert">
          {problem.value}
        </p>
      )}
      {((state.value === 'more' && !isMonthWhole.value) || problem.value) && (
        <More onMore={ledger.more} isLoading={isLoading.value} count={items.value.length} />
      )}
    </section>
  );
}

/** From a closed image to its link, from elsewhere to the heading. */
function focusAfter(before: Route): void {
  const link =
    before.view === 'image' &&
    document.querySelector<HTMLElement>(`.credits a[href="${imageHref(before.id)}"]`);
  (link || document.getElementById('credits-title'))?.focus();
}

function Balance() {
  const { account } = usePageState();
  const balance = account.balance.value?.balance;
  if (balance === undefined) return null;
  const images = enoughForText(balance, account.tiers.value);
  return (
    <div class="wallet">
      <div>
        <h2 class="quiet">{creditsText.balanceTitle}</h2>
        <p class="total">
          <b>{number(balance)}</b> {creditsText.unit(balance)}
        </p>
        {images && <p class="quiet">{creditsText.enoughFor(images)}</p>}
        {account.allowance.value && <p class="quiet">{allowanceText(account.allowance.value)}</p>}
      </div>
      <PurseDrawing />
      <BuyButtons />
    </div>
  );
}

/** Nothing where neither is anything sold, nor has this user bought anything. */
function BuyButtons() {
  const { purchases } = usePageState();
  const ledger = useLedger();
  const isSold = Boolean(purchases.packs.value?.length);
  const hasBought = ledger.items.value.some(({ type }) => type === 'purchase');
  if (!isSold && !hasBought) return null;
  const { problem, leavingFor, isDialogOpen, hasNoReceipts } = purchases;
  return (
    <div class="actions">
      <div class="row">
        {isSold && (
          <Button kind="primary" icon="plus" aria-haspopup="dialog" onClick={purchases.open}>
            {creditsText.buy}
          </Button>
        )}
        <Button aria-disabled={leavingFor.value === 'portal'} onClick={() => void purchases.openReceipts()}>
          {creditsText.receipts}
        </Button>
      </div>
      {problem.value && !isDialogOpen.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {hasNoReceipts.value && (
        <p class="quiet" role="status">
          {creditsText.noReceipts}
        </p>
      )}
    </div>
  );
}

function Debt() {
  const { account } = usePageState();
  return (
    <section class="debt" aria-label={creditsText.debtTitle}>
      <Icon name="warning" />
      <p>{creditsText.debt(account.debt.value)}</p>
    </section>
  );
}

function History() {
  const ledger = useLedger();
  const { lines, month, months, isMonthWhole, isSaving, csvProblem } = ledger;
  const shown = lines.value;
  const { spent, added } = sumLines(shown);
  const announced = useRef(month.value);
  useEffect(() => {
    const isReady = month.value === '' || isMonthWhole.value;
    if (!isReady || announced.current === month.value) return;
    announced.current = month.value;
    const name = month.value === '' ? creditsText.allMonths : monthText(getMonthStart(month.value));
    announce(creditsText.found(shown.length, name), false);
  }, [month.value, isMonthWhole.value]);
  return (
    <section class="history" aria-labelledby="history-title">
      <div class="row between">
        <h2 id="history-title">{creditsText.history}</h2>
        <div class="row">
          <select
            aria-label={creditsText.month}
            value={month.value}
            onChange={({ currentTarget }) => {
              month.value = currentTarget.value;
            }}
          >
            <option value="">{creditsText.allMonths}</option>
            {months.value.map((one) => (
              <option key={one} value={one}>
                {monthText(getMonthStart(one))}
              </option>
            ))}
          </select>
          <Button icon="download" aria-disabled={isSaving.value} onClick={() => void ledger.saveCsv()}>
            {isSaving.value ? creditsText.savingCsv : creditsText.saveCsv}
          </Button>
        </div>
      </div>
      {csvProblem.value && (
        <p class="problem" role="alert">
          {csvProblem.value}
        </p>
      )}
      {month.value !== '' && isMonthWhole.value && shown.length > 0 && (
        <p class="quiet">{creditsText.sums(spent, added)}</p>
      )}
      {shown.length > 0 && <LedgerTable lines={shown} />}
      {shown.length === 0 && isMonthWhole.value && <p class="quiet">{creditsText.nothingInMonth}</p>}
    </section>
  );
}
