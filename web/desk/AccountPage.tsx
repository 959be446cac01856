import { useState } from 'preact/hooks';
import type { AdminAccount, AdminAccountAnswer, Generation } from '../../shared/contract.ts';
import { Button, IconButton } from '../components/Button.tsx';
import { announce } from '../state/announce.ts';
import { deskText } from '../strings/en/desk.ts';
import { text } from '../strings/en.ts';
import { number, timeText } from '../strings/format.ts';
import { ActionRecord } from './ActionRecord.tsx';
import { deskClient } from './deskClient.ts';
import { Entries } from './Entries.tsx';
import { Flags } from './Flags.tsx';
import { Generations } from './Generations.tsx';
import { GrantDialog } from './GrantDialog.tsx';
import { LoadProblem } from './LoadProblem.tsx';
import { Purchases } from './Purchases.tsx';
import { findPrice } from './prices.ts';
import { RefundDialog } from './RefundDialog.tsx';
import { SuspendDialog } from './SuspendDialog.tsx';
import { TakedownDialog } from './TakedownDialog.tsx';
import { useLoaded } from './useLoaded.ts';

const { account: words } = deskText;

/** The action whose dialog is open. */
type Open = { action: 'grant' | 'suspend' } | { action: 'refund' | 'takedown'; generation: Generation };

/** One account in full, and what an admin can do about it. */
export function AccountPage({ uid, generationId }: { uid: string; generationId: string | undefined }) {
  const { value, problem, isLoading, reload } = useLoaded(() => deskClient.account(uid), [uid]);
  const [open, setOpen] = useState<Open | undefined>();
  const close = () => setOpen(undefined);
  const done = (message: string) => {
    announce(message);
    setOpen(undefined);
    reload();
  };
  return (
    <>
      <p>
        <a href="#/accounts">{words.back}</a>
      </p>
      <div class="head">
        <h1 tabIndex={-1}>{value?.account.email ?? uid}</h1>
        {value && <Flags account={value.account} />}
      </div>
      <LoadProblem problem={problem} isLoading={isLoading && !value} onRetry={reload} />
      {value && (
        <div class="loaded" aria-busy={isLoading}>
          <Facts account={value.account} onAct={(action) => setOpen({ action })} />
          <Generations
            answer={value}
            marked={generationId}
            onRefund={(generation) => setOpen({ action: 'refund', generation })}
            onTakeDown={(generation) => setOpen({ action: 'takedown', generation })}
          />
          <Entries entries={value.entries} uid={uid} />
          <Purchases purchases={value.purchases} />
          <section class="card" aria-labelledby="record">
            <h2 id="record">{deskText.overview.record}</h2>
            <ActionRecord actions={value.actions} isOfOne />
          </section>
          {open && <OpenDialog open={open} answer={value} onClose={close} onDone={done} />}
        </div>
      )}
    </>
  );
}

type DialogProps = {
  open: Open;
  answer: AdminAccountAnswer;
  onClose: () => void;
  onDone: (message: string) => void;
};

function OpenDialog({ open, answer: { account, entries }, ...events }: DialogProps) {
  if (!('generation' in open)) {
    const AccountDialog = open.action === 'grant' ? GrantDialog : SuspendDialog;
    return <AccountDialog account={account} {...events} />;
  }
  const { generation } = open;
  if (open.action === 'takedown')
    return <TakedownDialog account={account} generation={generation} {...events} />;
  const price = findPrice(entries, generation.id).credits;
  return <RefundDialog account={account} generation={generation} price={price} {...events} />;
}

/** A closed account takes no credits, and cannot be suspended any more than it is. */
function Facts({ account, onAct }: { account: AdminAccount; onAct: (action: 'grant' | 'suspend') => void }) {
  const { uid, balance, debt, createdAt, usedAt, closedAt, allowance, note, problem, suspended } = account;
  const copyUid = async () => {
    await navigator.clipboard.writeText(uid);
    announce(words.uidCopied);
  };
  return (
    <section class="card facts" aria-label={words.title}>
      <p class="figure">{balance === null ? words.unknown : text.common.credits(balance)}</p>
      <dl>
        <Fact name={words.uid}>
          <span class="code">{uid}</span>
          <IconButton icon="copy" label={words.copyUid} isSmall look="plain" onClick={() => void copyUid()} />
        </Fact>
        {debt > 0 && <Fact name={words.debt}>{text.common.credits(debt)}</Fact>}
        <Fact name={words.created}>{createdAt ? timeText(createdAt) : words.unknown}</Fact>
        <Fact name={words.used}>{usedAt ? timeText(usedAt) : deskText.accounts.unused}</Fact>
        {closedAt && <Fact name={words.closed}>{timeText(closedAt)}</Fact>}
        {allowance !== undefined && <Fact name={words.allowance}>{number(allowance)}</Fact>}
        {note !== undefined && <Fact name={words.note}>{note}</Fact>}
      </dl>
      {problem && <p class="problem">{problem}</p>}
      {!closedAt && (
        <div class="row">
          <Button kind="primary" icon="plus" aria-haspopup="dialog" onClick={() => onAct('grant')}>
            {words.grant}
          </Button>
          <Button aria-haspopup="dialog" onClick={() => onAct('suspend')}>
            {suspended ? words.restore : words.suspend}
          </Button>
        </div>
      )}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
