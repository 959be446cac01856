import { useEffect, useRef, useState } from 'preact/hooks';
import type { TierOffer } from '../../shared/contract.ts';
import { isSettled } from '../client.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration, Progress } from '../state/pendingGenerations.ts';
import { imageHref } from '../state/route.ts';
import { clockTime, costText, errorReport, failureCreditsText, getShape, problemText } from '../words.ts';
import { Icon } from './Icon.tsx';

const justAskedMs = 1_000;

/** What is being painted, what has just been painted, and what failed. */
export function PendingGenerations() {
  const { pendingGenerations } = usePageState();
  const section = useRef<HTMLElement>(null);
  const newest = pendingGenerations.list.value[0];
  useEffect(() => {
    // On a phone it would be below the screen; what a reload brings back is not what was just asked for.
    const isAsked = newest !== undefined && Date.now() - newest.askedAt < justAskedMs;
    if (isAsked) section.current?.scrollIntoView({ block: 'nearest' });
  }, [newest?.key]);
  if (!newest) return null;
  return (
    <section class="paintings" ref={section} aria-labelledby="paintings-title">
      <h2 id="paintings-title" tabIndex={-1}>
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
    <article class={`painting ${progress.state}`} aria-label={pending.request.prompt}>
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
          {progress.state === 'waiting' ? waitingText(progress.error.reason) : 'Painting…'}{' '}
          <Elapsed since={pending.askedAt} />
        </p>
        <p class="quiet clamp">{prompt}</p>
      </div>
    </>
  );
}

const waitingText = (reason: string) =>
  reason === 'UNREACHABLE' ? 'No connection. Asking again …' : 'The studio is busy. Asking again …';

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
    // Not read out at every second.
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
  const { pendingGenerations } = usePageState();
  const copy = async () => {
    await navigator.clipboard.writeText(errorReport(error, pending.key));
    announce('The error is copied.');
  };
  const leave = (action: () => void) => () => {
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
          <button type="button" class="primary" onClick={leave(() => pendingGenerations.retry(pending))}>
            {isSettled(error) ? 'Try again' : 'Ask again'}
          </button>
          <button type="button" onClick={() => void copy()}>
            <Icon name="copy" />
            Copy error
          </button>
          <button type="button" onClick={leave(() => pendingGenerations.dismiss(pending.key))}>
            Dismiss
          </button>
        </div>
      </div>
    </>
  );
}
