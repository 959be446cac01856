import { useEffect, useState } from 'preact/hooks';
import { IconButton } from '../components/Button.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { text } from '../strings/en.ts';
import { clockTime } from '../strings/format.ts';

/** The place of an image that is being made, at its real shape. */
export function MakingTile({ pending }: { pending: PendingGeneration }) {
  const { pendingGenerations } = usePageState();
  const { key, askedAt, request } = pending;
  const progress = pending.progress.value;
  /** The button disappears with its tile. */
  const hide = (button: HTMLElement) => {
    const others = [...document.querySelectorAll<HTMLElement>('.making-tile button')];
    const next = others[others.indexOf(button) + 1] ?? document.getElementById('gallery-title');
    next?.focus({ preventScroll: true });
    pendingGenerations.hide(key);
    announce(text.making.hidden);
  };
  return (
    <article class="making-tile" aria-label={request.prompt}>
      <p class="state">
        {progress.state === 'waiting' ? waitingText(progress.error.reason) : text.making.making}
      </p>
      <Elapsed since={askedAt} />
      <p class="making-prompt" dir="auto" aria-hidden="true">
        {request.prompt}
      </p>
      <IconButton
        icon="hide"
        label={text.making.hide}
        title={text.making.hideHint}
        isSmall
        onClick={({ currentTarget }) => hide(currentTarget)}
      />
    </article>
  );
}

export function waitingText(reason: string): string {
  if (reason === 'UNREACHABLE') return text.making.noConnection;
  return reason === 'RATE_LIMITED' ? text.making.ownLimit : text.making.busy;
}

export function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    // Screen readers must not announce every second.
    <span role="timer" aria-live="off" class="time">
      {clockTime(now - since)}
    </span>
  );
}
