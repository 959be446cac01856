import type { AdminAccount } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';

const { accounts: words } = deskText;

/** What is unusual about an account. */
export function Flags({ account }: { account: AdminAccount }) {
  const { suspended, closedAt, debt, problem } = account;
  return (
    <span class="flags">
      {suspended && <span class="state off">{words.suspended}</span>}
      {closedAt && <span class="state">{words.closed}</span>}
      {debt > 0 && <span class="state exhausted">{words.debt(debt)}</span>}
      {problem && <span class="state off">{words.problem}</span>}
    </span>
  );
}
