import { useRef, useState } from 'preact/hooks';
import type { AdminAccount, Generation } from '../../shared/contract.ts';
import { createKey } from '../client.ts';
import { deskText } from '../strings/en/desk.ts';
import { timeText } from '../strings/format.ts';
import { ActionDialog, type ActionEvents } from './ActionDialog.tsx';
import { AmountField } from './AmountField.tsx';
import { deskClient } from './deskClient.ts';
import { grantCreditsMax } from './limits.ts';
import { getBalanceAfter } from './prices.ts';

const { actions: words } = deskText;

type Props = ActionEvents & {
  account: AdminAccount;
  generation: Generation;
  /** Undefined if it is not known here: the functions refuse more than it. */
  price: number | undefined;
};

/** Refunds one generation out of goodwill: once, and at most its price. */
export function RefundDialog({ account, generation, price, ...events }: Props) {
  const { uid, balance, debt } = account;
  const [count, setCount] = useState(String(price ?? ''));
  const key = useRef(createKey());
  const who = account.email ?? uid;
  const amount = Number(count);
  const after = getBalanceAfter({ balance: balance ?? 0, debt }, amount);
  return (
    <ActionDialog
      {...events}
      title={words.refundTitle}
      reasonHint={words.grantReasonHint}
      sentence={words.refundSentence(who, amount, generation.prompt, balance, after.balance, after.debtPaid)}
      confirm={words.confirmRefund(amount)}
      perform={async (reason) => {
        const request = { uid, amount, reason, generationId: generation.id };
        await deskClient.grant(request, { key: key.current });
        return words.granted(who, amount);
      }}
      onRefused={() => {
        key.current = createKey();
      }}
    >
      <p class="clamp quiet" dir="auto">
        {words.imageOf(generation.prompt, timeText(generation.createdAt))}
      </p>
      <AmountField
        value={count}
        onValue={setCount}
        max={price ?? grantCreditsMax}
        {...(price !== undefined && { hint: words.upTo(price) })}
      />
    </ActionDialog>
  );
}
