import { Spinner } from '../components/Spinner.tsx';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { Elapsed, waitingText } from './MakingTile.tsx';

type Props = {
  /** The oldest first. Those that have failed do not count. */
  pending: PendingGeneration[];
  label: (count: number) => string;
};

/** What is being made, under the button that began it. */
export function MakingLine({ pending, label }: Props) {
  const running = pending.filter(({ progress }) => progress.value.state !== 'failed');
  const [oldest] = running;
  if (!oldest) return null;
  const progress = oldest.progress.value;
  return (
    <p class="making-line hint">
      <Spinner />
      {progress.state === 'waiting' ? waitingText(progress.error.reason) : label(running.length)}
      <Elapsed since={oldest.askedAt} />
    </p>
  );
}
