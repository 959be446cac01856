import type { AdminAccount } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { ActionDialog, type ActionEvents } from './ActionDialog.tsx';
import { deskClient } from './deskClient.ts';

const { actions: words } = deskText;

/** Suspends the person behind an account, or ends that. */
export function SuspendDialog({ account, ...events }: ActionEvents & { account: AdminAccount }) {
  const { uid, suspended } = account;
  const who = account.email ?? uid;
  return (
    <ActionDialog
      {...events}
      title={suspended ? words.restoreTitle : words.suspendTitle}
      reasonHint={words.reasonHint}
      sentence={suspended ? words.restoreSentence(who) : words.suspendSentence(who)}
      confirm={suspended ? words.confirmRestore : words.confirmSuspend}
      isDangerous={!suspended}
      perform={async (reason) => {
        await deskClient.suspend({ uid, suspended: !suspended, reason });
        return suspended ? words.restored(who) : words.suspended(who);
      }}
    />
  );
}
