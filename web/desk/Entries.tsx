import type { AdminEntry } from '../../shared/contract.ts';
import { credits as creditsText } from '../strings/en/credits.ts';
import { deskText } from '../strings/en/desk.ts';
import { number, signed, timeText, wholeTimeText } from '../strings/format.ts';
import { entryText } from '../strings/ledger.ts';
import { toAccountHref } from './deskRoute.ts';
import { newestMax } from './limits.ts';

const { account: words, record } = deskText;

/** The newest entries of an account's ledger, each with who made it. */
export function Entries({ entries, uid }: { entries: readonly AdminEntry[]; uid: string }) {
  return (
    <section class="card" aria-labelledby="entries">
      <h2 id="entries">{words.entries}</h2>
      {entries.length === 0 ? <p class="quiet">{words.noEntries}</p> : <Table entries={entries} uid={uid} />}
      {entries.length >= newestMax && <p class="quiet">{words.newest(newestMax)}</p>}
    </section>
  );
}

function Table({ entries, uid }: { entries: readonly AdminEntry[]; uid: string }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">{words.date}</th>
            <th scope="col">{words.what}</th>
            <th scope="col" class="number">
              {words.amount}
            </th>
            <th scope="col" class="number">
              {words.after}
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
                {entry.actor && <span class="quiet"> {record.by(entry.actor)}</span>}
                {entry.generationId && (
                  <>
                    {' '}
                    <a href={toAccountHref(uid, entry.generationId)}>{creditsText.showImage}</a>
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
