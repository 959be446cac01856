import { useEffect, useRef, useState } from 'preact/hooks';
import type { TierOffer } from '../../shared/contract.ts';
import { isSettled } from '../client.ts';
import { announce } from '../state/announce.ts';
import { useStudio } from '../state/pageState.ts';
import type { Painting, Progress } from '../state/pendingGenerations.ts';
import { imageHref } from '../state/route.ts';
import { clockTime, errorReport, failureCreditsText, paintedText, problemText, shapeOf } from '../words.ts';
import { Icon } from './Icon.tsx';

const justAskedMs = 1_000;

/** What is being painted, what has just been painted, and what failed. */
export function Paintings() {
  const { paintings } = useStudio();
  const section = useRef<HTMLElement>(null);
  const newest = paintings.list.value[0];
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
      {paintings.list.value.map((painting) => (
        <PaintingCard key={painting.key} painting={painting} />
      ))}
    </section>
  );
}

function PaintingCard({ painting }: { painting: Painting }) {
  const progress = painting.progress.value;
  return (
    <article class={`painting ${progress.state}`} aria-label={painting.request.prompt}>
      {progress.state === 'failed' ? (
        <Failed painting={painting} error={progress.error} />
      ) : progress.state === 'done' ? (
        <Done progress={progress} />
      ) : (
        <Running painting={painting} progress={progress} />
      )}
    </article>
  );
}

function Running({ painting, progress }: { painting: Painting; progress: Progress }) {
  const { account } = useStudio();
  const { tier, orientation = 'landscape', prompt } = painting.request;
  const offer = account.tiers.value.find(({ id }) => id === tier);
  return (
    <>
      <Skeleton offer={offer} orientation={orientation} />
      <div class="about">
        <p class="state">
          {progress.state === 'waiting' ? waitingText(progress.error.reason) : 'Painting…'}{' '}
          <Elapsed since={painting.askedAt} />
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
  const { width, height } = offer ? shapeOf(offer, orientation) : { width: 1, height: 1 };
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
        <p class="quiet">{paintedText(progress.receipt)}</p>
      </div>
    </>
  );
}

function Failed({ painting, error }: { painting: Painting; error: unknown }) {
  const { paintings } = useStudio();
  const copy = async () => {
    await navigator.clipboard.writeText(errorReport(error, painting.key));
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
        <p class="quiet clamp">{painting.request.prompt}</p>
        <div class="row">
          <button type="button" class="primary" onClick={leave(() => paintings.again(painting))}>
            {isSettled(error) ? 'Try again' : 'Ask again'}
          </button>
          <button type="button" onClick={() => void copy()}>
            <Icon name="copy" />
            Copy error
          </button>
          <button type="button" onClick={leave(() => paintings.dismiss(painting.key))}>
            Dismiss
          </button>
        </div>
      </div>
    </>
  );
}
