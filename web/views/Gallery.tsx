import { useComputed } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { EmptyWallDrawing } from '../components/drawings.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { More } from '../components/More.tsx';
import { useLater } from '../components/useLater.ts';
import { type GalleryItem, groupByDate, listItems } from '../state/galleryGroups.ts';
import { findVisible, groupTitleHeight, type PlacedGroup, placeGroups } from '../state/justify.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { getAspectRatio, toNumber } from '../state/shapes.ts';
import { search as searchText } from '../strings/en/search.ts';
import { text } from '../strings/en.ts';
import { FirstVisit } from './FirstVisit.tsx';
import { GalleryTile } from './GalleryTile.tsx';

/** Pixels above and below the window that are rendered too, in steps of which the gallery follows the scroll position. */
const marginPixels = 900;
const stepPixels = 300;

const px = (pixels: number) => `${pixels}px`;

const loadTools = async () => (await import('./GalleryTools.tsx')).GalleryTools;

/** The user's images, newest first, with those that are being made. Only what is near the window is in the document. */
export function Gallery({ isShown }: { isShown: boolean }) {
  const { gallery, search, pendingGenerations } = usePageState();
  const { items, state, isLoading, problem, isActive } = search;

  const groups = useComputed(() => {
    const ratioOf = ({ request }: PendingGeneration) => toNumber(getAspectRatio(request));
    const findShown = (id: string) => (search.findPosition(id) < 0 ? undefined : gallery.find(id));
    const all = listItems(items.value, findShown, pendingGenerations.list.value, ratioOf);
    return groupByDate(all, Date.now());
  });
  const isEmpty = groups.value.length === 0;
  const hasImages = gallery.items.value.length > 0;
  const hasTools = hasImages || isActive.value;
  // The first image does not move down when the tools come with it.
  const hasPlaceOfTools = hasTools || !isEmpty;
  const hasMore = state.value !== 'complete';
  const { view: Tools } = useLater(hasTools, loadTools);
  return (
    <section class="gallery" aria-labelledby="gallery-title">
      <h2 id="gallery-title" class="visually-hidden" tabIndex={-1}>
        {text.gallery.title}
      </h2>
      {hasPlaceOfTools && (hasTools && Tools ? <Tools isShown={isShown} /> : <div class="gallery-tools" />)}
      {!isEmpty && <Rows groups={groups.value} hasMore={hasMore} />}
      {isEmpty && !isActive.value && state.value === 'initial' && !problem.value && <Placeholders />}
      {isEmpty && state.value === 'complete' && (isActive.value ? <NothingFound /> : <FirstVisit />)}
      {isEmpty && isActive.value && state.value !== 'complete' && !problem.value && (
        <p class="quiet searching" role="status">
          {searchText.searching}
        </p>
      )}
      {problem.value && (
        <div class="notice" role="alert">
          <p>{problem.value}</p>
        </div>
      )}
      {(state.value === 'more' || problem.value) && isShown && (
        <More onMore={search.more} isLoading={isLoading.value} count={items.value.length} />
      )}
    </section>
  );
}

function Rows({ groups, hasMore }: { groups: ReturnType<typeof groupByDate>; hasMore: boolean }) {
  const list = useRef<HTMLDivElement>(null);
  const { width, top } = useWindow(list);
  const placed = useMemo(() => (width > 0 ? placeGroups(groups, width) : []), [groups, width]);
  const last = placed.at(-1);
  const from = top - marginPixels;
  const to = top + innerHeight + marginPixels;
  return (
    <div class="rows" ref={list} style={{ height: px(last ? last.top + last.height : innerHeight) }}>
      {placed
        .filter((group) => group.top + group.height >= from && group.top <= to)
        .map((group) => (
          <GroupOfImages
            key={group.title}
            group={group}
            from={from}
            to={to}
            isWhole={group !== last || !hasMore}
          />
        ))}
    </div>
  );
}

/** @property isWhole false if more of its images may come with the next page */
type GroupProps = { group: PlacedGroup<GalleryItem>; from: number; to: number; isWhole: boolean };

function GroupOfImages({ group, from, to, isWhole }: GroupProps) {
  const { title, top, height, places, items } = group;
  const start = top + groupTitleHeight;
  const [first, end] = findVisible(places, from - start, to - start);
  return (
    <section class="day" style={{ top: px(top), height: px(height) }}>
      <h3>
        {title} {isWhole && <span class="quiet">{text.gallery.countOf(items.length)}</span>}
      </h3>
      <ul>
        {places.slice(first, end).map((place, i) => {
          const item = items[first + i];
          return (
            item && (
              <li
                key={place.id}
                aria-setsize={isWhole ? items.length : -1}
                aria-posinset={first + i + 1}
                style={{
                  left: px(place.x),
                  top: px(place.y + groupTitleHeight),
                  width: px(place.width),
                  height: px(place.height),
                }}
              >
                <GalleryTile item={item} />
              </li>
            )
          );
        })}
      </ul>
    </section>
  );
}

/** The width of the list, and how far the window is scrolled below its top, in steps. */
function useWindow(list: { current: HTMLElement | null }) {
  const [view, setView] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    let frame = 0;
    const measure = () => {
      frame = 0;
      const box = element.getBoundingClientRect();
      // A hidden list keeps its last measures.
      if (box.width === 0) return;
      const width = Math.floor(box.width);
      const top = Math.floor(-box.top / stepPixels) * stepPixels;
      setView((last) => (last.width === width && last.top === top ? last : { width, top }));
    };
    const measureSoon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    const observer = new ResizeObserver(measureSoon);
    observer.observe(element);
    addEventListener('scroll', measureSoon, { passive: true });
    addEventListener('resize', measureSoon);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      removeEventListener('scroll', measureSoon);
      removeEventListener('resize', measureSoon);
    };
  }, [list]);
  return view;
}

function Placeholders() {
  return (
    <ul class="placeholders" aria-hidden="true">
      {[1, 1.5, 0.67, 1.78, 1, 1.5].map((ratio, i) => (
        <li key={i} style={{ flexGrow: ratio, flexBasis: `${ratio * 160}px` }} />
      ))}
    </ul>
  );
}

function NothingFound() {
  const { search } = usePageState();
  const words = search.query.value.trim();
  return (
    <EmptyState drawing={<EmptyWallDrawing />} title={searchText.nothingTitle}>
      <p>{words === '' ? searchText.noFavourite : searchText.nothing(words)}</p>
      <Button onClick={search.reset}>{searchText.showAll}</Button>
    </EmptyState>
  );
}
