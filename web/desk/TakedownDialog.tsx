import type { AdminAccount, Generation } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { timeText } from '../strings/format.ts';
import { ActionDialog, type ActionEvents } from './ActionDialog.tsx';
import { deskClient } from './deskClient.ts';

const { actions: words } = deskText;

type Props = ActionEvents & { account: AdminAccount; generation: Generation };

/** Removes an image everywhere. */
export function TakedownDialog({ account, generation, ...events }: Props) {
  const { uid, email } = account;
  return (
    <ActionDialog
      {...events}
      title={words.takedownTitle}
      reasonHint={words.takedownReasonHint}
      sentence={words.takedownSentence(email ?? uid, generation.prompt)}
      confirm={words.confirmTakedown}
      isDangerous
      perform={async (reason) => {
        await deskClient.takedown({ uid, generationId: generation.id, reason });
        return words.takenDown;
      }}
    >
      <p class="clamp quiet" dir="auto">
        {words.imageOf(generation.prompt, timeText(generation.createdAt))}
      </p>
    </ActionDialog>
  );
}
