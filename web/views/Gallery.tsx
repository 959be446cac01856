import { useEffect, useRef } from 'preact/hooks';
import type { Generation } from '../../shared/contract.ts';
import { usePageState } from '../state/pageState.ts';
import { imageHref } from '../state/route.ts';

/** The user's images, newest first. The next page loads near the end of the list, or on a click. */
export function Gallery({ isShown }: { isShown: boolean }) {
  const { gallery } = usePageState();
  const { items, state, isLoading, problem } = gallery;
  return (
    <section class="gallery" aria-labelledby="gallery-title">
      <h2 id="gallery-title" tabIndex={-1}>
        Your images
      </h2>
      {items.value.length > 0 && (
        <ul>
          {items.value.map((generation) => (
            <Thumbnail key={generation.id} generation={generation} />
          ))}
        </ul>
      )}
      {items.value.length === 0 && state.value === 'initial' && !problem.value && <Placeholders />}
      {items.value.length === 0 && state.value === 'complete' && <Empty />}
      {problem.value && (
        <div class="notice" role="alert">
          <p>{problem.value}</p>
        </div>
      )}
      {(state.value === 'more' || problem.value) && isShown && (
        <More onMore={gallery.more} isLoading={isLoading.value} />
      )}
    </section>
  );
}

function Thumbnail({ generation: { id, prompt, image } }: { generation: Generation }) {
  return (
    <li>
      <a href={imageHref(id)} id={`image-${id}`} aria-label={`Open image: ${prompt ?? ''}`}>
        <img src={image?.thumbnailUrl} alt="" width="320" height="320" loading="lazy" decoding="async" />
        <span class="caption" aria-hidden="true">
          {prompt}
        </span>
      </a>
      <span class="ai" title="Made with AI">
        AI
      </span>
    </li>
  );
}

function Placeholders() {
  return (
    <ul aria-hidden="true">
      {Array.from({ length: 6 }, (_, i) => (
        <li key={i} class="placeholder" />
      ))}
    </ul>
  );
}

function Empty() {
  return (
    <div class="empty">
      <h3>Your images will appear here.</h3>
      <p>Write a prompt and choose a size. If an image fails, its credits are refunded automatically.</p>
    </div>
  );
}

/** The next page loads when the end of the list is this far below the screen. */
const prefetchMargin = '600px';

export function More({ onMore, isLoading }: { onMore: () => Promise<void>; isLoading: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  // A new observer after each page: a page may not fill the screen, and observers report only changes.
  useEffect(() => {
    if (!button.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void onMore();
      },
      { rootMargin: prefetchMargin },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [isLoading]);
  return (
    <button type="button" class="more" ref={button} aria-disabled={isLoading} onClick={() => void onMore()}>
      {isLoading ? 'Loading …' : 'Load more'}
    </button>
  );
}
