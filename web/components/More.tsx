import { useEffect, useRef } from 'preact/hooks';
import { text } from '../strings/en.ts';

/** The next page loads when the end of the list is this far below the screen. */
const prefetchMargin = '1200px';

/** @property count of the items that are loaded */
type Props = { onMore: () => Promise<void>; isLoading: boolean; count: number };

/** The end of a list that has further pages: loads the next one when the user comes near, or on a click. */
export function More({ onMore, isLoading, count }: Props) {
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
  }, [isLoading, count]);
  return (
    <button type="button" class="more" ref={button} aria-disabled={isLoading} onClick={() => void onMore()}>
      {isLoading ? text.common.loading : text.common.loadMore}
    </button>
  );
}
