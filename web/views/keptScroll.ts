import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { usePageState } from '../state/pageState.ts';
import { scrollMemory } from '../state/scrollMemory.ts';

/** Keeps the scroll position of the gallery while another view is shown, and after a reload. */
export function useKeptScroll(isShown: boolean): void {
  const { uid, gallery } = usePageState();
  const position = useRef(0);
  useEffect(() => {
    if (!isShown) return;
    const remember = () => {
      position.current = scrollY;
    };
    addEventListener('scroll', remember, { passive: true });
    return () => removeEventListener('scroll', remember);
  }, [isShown]);
  useLayoutEffect(() => {
    if (isShown) scrollTo(0, position.current);
  }, [isShown]);
  useEffect(() => {
    const save = () => scrollMemory.save(uid, { top: position.current, count: gallery.items.peek().length });
    addEventListener('pagehide', save);
    return () => removeEventListener('pagehide', save);
  }, [uid, gallery]);
  useScrollAfterReload(isShown);
}

const ownScrolls = ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const;

/** Scrolls to where the page was before its reload, and loads the images as far as there, unless the user scrolls first. */
function useScrollAfterReload(isShown: boolean): void {
  const { gallery, scrolledTo } = usePageState();
  const wanted = useRef(scrolledTo);
  const count = gallery.items.value.length;
  const state = gallery.state.value;

  useEffect(() => {
    const forget = () => {
      wanted.current = undefined;
    };
    for (const name of ownScrolls) addEventListener(name, forget, { passive: true });
    return () => {
      for (const name of ownScrolls) removeEventListener(name, forget);
    };
  }, []);
  useEffect(() => {
    const top = wanted.current;
    if (top === undefined || !isShown || state === 'initial') return;
    // The rows have their height once they know their width.
    const frame = requestAnimationFrame(() => {
      const isReached = document.documentElement.scrollHeight - innerHeight >= top;
      if (!isReached && state === 'more') {
        void gallery.more();
        return;
      }
      wanted.current = undefined;
      scrollTo(0, top);
    });
    return () => cancelAnimationFrame(frame);
  }, [count, state, isShown, gallery]);
}
