import type { AdminPurchase } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { number, priceText, timeText, wholeTimeText } from '../strings/format.ts';

const { account: words } = deskText;

/** What the user bought, and what Stripe took back of it. */
export function Purchases({ purchases }: { purchases: readonly AdminPurchase[] }) {
  return (
    <section class="card" aria-labelledby="purchases">
      <h2 id="purchases">{words.purchases}</h2>
      {purchases.length === 0 ? <p class="quiet">{words.noPurchases}</p> : <Table purchases={purchases} />}
    </section>
  );
}

function Table({ purchases }: { purchases: readonly AdminPurchase[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">{words.date}</th>
            <th scope="col">{words.pack}</th>
            <th scope="col" class="number">
              {words.paid}
            </th>
            <th scope="col" class="number">
              {words.bought}
            </th>
          </tr>
        </thead>
        <tbody>
          {purchases.map(
            ({ id, pack, credits, amount, currency, takenBack, refunds, disputes, createdAt }) => (
              <tr key={id}>
                <td>
                  <time dateTime={createdAt} title={wholeTimeText(createdAt)}>
                    {timeText(createdAt)}
                  </time>
                </td>
                <td>
                  {pack} <span class="quiet code">{id}</span>
                  {refunds.length + disputes.length > 0 && (
                    <span class="problem"> {words.refundsAndDisputes(refunds.length, disputes.length)}</span>
                  )}
                </td>
                <td class="number">{priceText(amount, currency)}</td>
                <td class="number">
                  {number(credits)}
                  {takenBack > 0 && <span class="quiet"> {words.takenBack(takenBack)}</span>}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
