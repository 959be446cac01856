import { useEffect, useRef, useState } from 'preact/hooks';
import type { TierOffer } from '../../shared/contract.ts';
import { ApiError, isSettled } from '../client.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration, Progress } from '../state/pendingGenerations.ts';
import { imageHref } from '../state/route.ts';
import { clockTime, costText, errorReport, failureCreditsText, getShape, problemText } from '../words.ts';
import { Icon } from './Icon.tsx';

const recentMs = 1_000;

/** A card for each generation that is running, has just finished, or failed. */
export function PendingGenerations() {
  const { pendingGenerations } = usePageState();
  const section = useRef<HTMLElement>(null);
  const newest = pendingGenerations.list.value[0];
  useEffect(() => {
    // On a phone the new card is below the screen. Generations that a reload continues do not scroll the page.
    const isRecent = newest !== undefined && Date.now() - newest.askedAt < recentMs;
    if (isRecent) section.current?.scrollIntoView({ block: 'nearest' });
  }, [newest?.key]);
  if (!newest) return null;
  return (
    <section class="pending-generations" ref={section} aria-labelledby="latest-title">
      <h2 id="latest-title" tabIndex={-1}>
        Latest
      </h2>
      {pendingGenerations.list.value.map((pending) => (
        <PendingCard key={pending.key} pending={pending} />
      ))}
    </section>
  );
}

function PendingCard({ pending }: { pending: PendingGeneration }) {
  const progress = pending.progress.value;
  return (
    <article class={`pending-generation ${progress.state}`} aria-label={pending.request.prompt}>
      {progress.state === 'failed' ? (
        <Failed pending={pending} error={progress.error} />
      ) : progress.state === 'done' ? (
        <Done progress={progress} />
      ) : (
        <Running pending={pending} progress={progress} />
      )}
    </article>
  );
}

function Running({ pending, progress }: { pending: PendingGeneration; progress: Progress }) {
  const { account } = usePageState();
  const { tier, orientation = 'landscape', prompt } = pending.request;
  const offer = account.tiers.value.find(({ id }) => id === tier);
  return (
    <>
      <Skeleton offer={offer} orientation={orientation} />
      <div class="about">
        <p class="state">
          {progress.state === 'waiting' ? waitingText(progress.error.reason) : 'Generating…'}{' '}
          <Elapsed since={pending.askedAt} />
        </p>
        <p class="quiet clamp">{prompt}</p>
      </div>
    </>
  );
}

const waitingText = (reason: string) =>
  reason === 'UNREACHABLE' ? 'No connection. Retrying …' : 'The studio is busy. Retrying …';

function Skeleton(props: { offer: TierOffer | undefined; orientation: 'landscape' | 'portrait' }) {
  const { offer, orientation } = props;
  const { width, height } = offer ? getShape(offer, orientation) : { width: 1, height: 1 };
  return (
    <svg class="skeleton" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <rect width={width} height={height} />
    </svg>
  );
}

function Elapsed({ since }: { since: number }) {
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

function Done({ progress }: { progress: Extract<Progress, { state: 'done' }> }) {
  const { id, prompt, image } = progress.generation;
  return (
    <>
      <div class="picture">
        <a href={imageHref(id)} aria-label={`Show image: ${prompt ?? ''}`}>
          {image && <img src={image.url} alt="" width={image.width} height={image.height} />}
        </a>
        <span class="ai">AI</span>
      </div>
      <div class="about">
        <p class="state">
          <Icon name="check" /> Done
        </p>
        <p class="quiet">{costText(progress.receipt)}</p>
      </div>
    </>
  );
}

function Failed({ pending, error }: { pending: PendingGeneration; error: unknown }) {
  const { pendingGenerations, purchases } = usePageState();
  const canBuy =
    error instanceof ApiError &&
    error.reason === 'INSUFFICIENT_CREDITS' &&
    Boolean(purchases.packs.value?.length);
  const copy = async () => {
    await navigator.clipboard.writeText(errorReport(error, pending.key));
    announce('Error copied.');
  };
  /** The button disappears with its card, so the focus moves to the prompt. */
  const thenFocusPrompt = (action: () => void) => () => {
    action();
    document.getElementById('prompt')?.focus();
  };
  return (
    <>
      <span class="sign">
        <Icon name="warning" />
      </span>
      <div class="about">
        <p class="state">{problemText(error)}</p>
        <p>{failureCreditsText(error)}</p>
        <p class="quiet clamp">{pending.request.prompt}</p>
        <div class="row">
          {canBuy && (
            <button type="button" class="primary" aria-haspopup="dialog" onClick={purchases.open}>
              Buy credits
            </button>
          )}
          <button
            type="button"
            class={canBuy ? '' : 'primary'}
            onClick={thenFocusPrompt(() => pendingGenerations.retry(pending))}
          >
            {isSettled(error) ? 'Try again' : 'Check again'}
          </button>
          <button type="button" onClick={() => void copy()}>
            <Icon name="copy" />
            Copy error
          </button>
          <button type="button" onClick={thenFocusPrompt(() => pendingGenerations.dismiss(pending.key))}>
            Dismiss
          </button>
        </div>
      </div>
    </>
  );
}
