import type { AdminActionView } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { timeText, wholeTimeText } from '../strings/format.ts';
import { toAccountHref } from './deskRoute.ts';

const { record: words } = deskText;

function nameOf({ action, generationId, reason }: AdminActionView): string {
  if (action === 'grant' && generationId) return words.goodwill;
  if (action === 'resolveReport' && reason === 'dismissed') return words.dismissed;
  return words.names[action];
}

/** What admins did, newest first. @property isOfOne true on the page of the account that it concerns */
export function ActionRecord({
  actions,
  isOfOne = false,
}: {
  actions: readonly AdminActionView[];
  isOfOne?: boolean;
}) {
  if (actions.length === 0) return <p class="quiet">{words.empty}</p>;
  return (
    <ol class="record">
      {actions.map((action) => (
        <li key={action.id}>
          <p>
            <b>{nameOf(action)}</b>
            {action.amount !== undefined && <span class="amount">{words.amount(action.amount)}</span>}
            {!isOfOne && <a href={toAccountHref(action.uid)}>{action.uid}</a>}
            {action.generationId && (
              <a href={toAccountHref(action.uid, action.generationId)}>{words.image}</a>
            )}
          </p>
          {action.action !== 'resolveReport' && <p class="reason">{action.reason}</p>}
          <p class="quiet">
            <time dateTime={action.createdAt} title={wholeTimeText(action.createdAt)}>
              {timeText(action.createdAt)}
            </time>{' '}
            {words.by(action.actor)}
          </p>
        </li>
      ))}
    </ol>
  );
}
