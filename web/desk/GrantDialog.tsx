import { useRef, useState } from 'preact/hooks';
import type { AdminAccount } from '../../shared/contract.ts';
import { createKey } from '../client.ts';
import { Segments } from '../components/Segments.tsx';
import { deskText } from '../strings/en/desk.ts';
import { ActionDialog, type ActionEvents } from './ActionDialog.tsx';
import { AmountField } from './AmountField.tsx';
import { deskClient } from './deskClient.ts';
import { grantCreditsMax } from './limits.ts';
import { getBalanceAfter } from './prices.ts';

const { actions: words } = deskText;

type Kind = 'give' | 'take';

/** Adds credits to an account, or takes them. */
export function GrantDialog({ account, ...events }: ActionEvents & { account: AdminAccount }) {
  const { uid, balance, debt } = account;
  const [kind, setKind] = useState<Kind>('give');
  const [count, setCount] = useState('');
  const key = useRef(createKey());
  const who = account.email ?? uid;
  const amount = kind === 'give' ? Number(count) : -Number(count);
  const after = getBalanceAfter({ balance: balance ?? 0, debt }, amount);
  return (
    <ActionDialog
      {...events}
      title={words.grantTitle}
      reasonHint={words.grantReasonHint}
      sentence={words.grantSentence(who, amount, balance, after.balance, after.debtPaid)}
      confirm={words.confirmGrant(amount)}
      isDangerous={kind === 'take'}
      perform={async (reason) => {
        await deskClient.grant({ uid, amount, reason }, { key: key.current });
        return words.granted(who, amount);
      }}
      onRefused={() => {
        key.current = createKey();
      }}
    >
      <Segments<Kind>
        name="kind"
        legend={words.kind}
        choices={[
          { value: 'give', label: words.give },
          { value: 'take', label: words.take },
        ]}
        value={kind}
        onChange={setKind}
      />
      <AmountField
        value={count}
        onValue={setCount}
        max={kind === 'give' ? grantCreditsMax : Math.max(1, balance ?? grantCreditsMax)}
      />
    </ActionDialog>
  );
}
