import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../components/Button.tsx';
import { Icon } from '../components/Icon.tsx';
import { useKeptFocus } from '../components/useKeptFocus.ts';
import { announce } from '../state/announce.ts';
import { queryCharactersMax } from '../state/gallerySearch.ts';
import { usePageState } from '../state/pageState.ts';
import { downloadSelected, favouriteSelected } from '../state/selectionActions.ts';
import { search as searchText } from '../strings/en/search.ts';
import { selecting as selectingText } from '../strings/en/selecting.ts';
import { text } from '../strings/en.ts';
import { DeleteSelected } from './DeleteSelected.tsx';
import { isText } from './Shortcuts.tsx';

/** Above the gallery: the search and the filter, or what can be done with the selected images. */
export function GalleryTools({ isShown }: { isShown: boolean }) {
  const { selection } = usePageState();
  return selection.isOn.value ? <SelectionBar isShown={isShown} /> : <SearchBar isShown={isShown} />;
}

const isDialogOpen = () => document.querySelector('dialog[open]') !== null;

/** To the image, or to the title of the gallery. The gallery stays where it is. */
const focusGallery = (id?: string) =>
  (document.getElementById(`image-${id}`) ?? document.getElementById('gallery-title'))?.focus({
    preventScroll: true,
  });

/** The selection stays under the header, which has two lines in narrow windows. */
function useHeaderHeight(): void {
  useLayoutEffect(() => {
    const header = document.querySelector('.top');
    if (!header) return;
    const { style } = document.documentElement;
    const observer = new ResizeObserver(([entry]) => {
      style.setProperty('--header-height', `${entry?.borderBoxSize[0]?.blockSize ?? 0}px`);
    });
    observer.observe(header);
    return () => observer.disconnect();
  }, []);
}

function SearchBar({ isShown }: { isShown: boolean }) {
  const { search, selection } = usePageState();
  const { query, onlyFavourites, items } = search;
  const field = useRef<HTMLInputElement>(null);
  useFoundCount();

  useEffect(() => {
    if (!isShown) return;
    const focusByKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || isText(event.target) || isDialogOpen()) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', focusByKey);
    return () => document.removeEventListener('keydown', focusByKey);
  }, [isShown]);

  const clear = () => {
    query.value = '';
    field.current?.focus();
  };
  return (
    <search class="gallery-tools">
      <div class="search-field">
        <Icon name="search" />
        <input
          type="search"
          ref={field}
          dir="auto"
          aria-label={searchText.label}
          placeholder={searchText.placeholder}
          maxLength={queryCharactersMax}
          value={query.value}
          onInput={({ currentTarget }) => {
            query.value = currentTarget.value;
          }}
          onKeyDown={({ key }) => {
            if (key === 'Escape') query.value = '';
            if (key === 'Enter') focusGallery(items.peek()[0]?.id);
          }}
        />
        {query.value !== '' && (
          <IconButton icon="close" label={searchText.clear} isSmall look="plain" onClick={clear} />
        )}
      </div>
      <button
        type="button"
        class={onlyFavourites.value ? 'chip on' : 'chip'}
        aria-label={searchText.favourites}
        aria-pressed={onlyFavourites.value}
        onClick={() => {
          onlyFavourites.value = !onlyFavourites.value;
        }}
      >
        <Icon name="heart" />
        <span class="chip-text">{searchText.favourites}</span>
      </button>
      <button
        type="button"
        class="chip"
        aria-label={text.gallery.select}
        aria-disabled={items.value.length === 0}
        onClick={() => {
          if (items.value.length > 0) selection.start();
        }}
      >
        <Icon name="check" />
        <span class="chip-text">{text.gallery.select}</span>
      </button>
    </search>
  );
}

/** A moment after the last change, so that typing is not interrupted. */
const announceDelayMs = 1000;

/** Screen readers hear how many images were found. */
function useFoundCount(): void {
  const { query, onlyFavourites, items, isActive, state } = usePageState().search;
  const [count, isKnown] = [items.value.length, state.value !== 'initial'];
  const asked = `${query.value.trim()}/${onlyFavourites.value}`;
  const announced = useRef('');
  useEffect(() => {
    if (!isActive.value) announced.current = '';
    if (!isActive.value || !isKnown || announced.current === asked) return;
    const timer = setTimeout(() => {
      announced.current = asked;
      const words = state.peek() === 'complete' ? searchText.found : searchText.foundSoFar;
      announce(words(count), false);
    }, announceDelayMs);
    return () => clearTimeout(timer);
  }, [asked, count, isKnown]);
}

function SelectionBar({ isShown }: { isShown: boolean }) {
  const pageState = usePageState();
  const { selection, search } = pageState;
  const [isDeleting, setIsDeleting] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  useHeaderHeight();
  const selected = selection.selected.value;
  const work = selection.work.value;
  const isOff = selected.length === 0 || work !== undefined;
  const allLabel =
    search.state.value === 'complete'
      ? selectingText.all
      : selectingText.allLoaded(search.items.value.length);
  const isAllFavourite = selected.length > 0 && selected.every(({ favourite }) => favourite);

  const end = () => {
    const [first] = selection.selected.peek();
    selection.clear();
    focusGallery(first?.id);
  };
  useEffect(() => {
    // The button that started it has gone.
    if (document.activeElement === document.body) bar.current?.querySelector('button')?.focus();
  }, []);
  const started = useRef('');
  useKeptFocus(bar, work !== undefined, work ? '.cancel' : started.current || 'button');
  useEffect(() => {
    if (!isShown) return;
    const byKey = (event: KeyboardEvent) => {
      if (isText(event.target) || isDialogOpen()) return;
      if (event.key === 'Escape') end();
      else if (event.key === 'Delete' && selection.selected.peek().length > 0) setIsDeleting(true);
      else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) selection.selectAll();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', byKey);
    return () => document.removeEventListener('keydown', byKey);
  }, [isShown, selection]);

  const run = (icon: string, label: string, action: (state: typeof pageState) => Promise<void>) => {
    started.current = `.${icon}`;
    if (!isOff) action(pageState).catch(() => announce(text.common.actionFailed(label)));
  };
  return (
    <div class="gallery-tools selection" role="toolbar" aria-label={selectingText.title} ref={bar}>
      <IconButton icon="close" label={selectingText.end} look="plain" onClick={end} />
      <p class="selection-count" role={isDeleting ? undefined : 'status'}>
        {work ? selectingText.progress(work.done, work.total) : selectingText.count(selected.length)}
      </p>
      {work ? (
        <button type="button" class="cancel" onClick={selection.cancel}>
          {selectingText.cancel}
        </button>
      ) : (
        <>
          <Button icon="check" aria-label={allLabel} title={allLabel} onClick={selection.selectAll}>
            <span class="chip-text">{allLabel}</span>
          </Button>
          <BarButton
            icon="heart"
            label={isAllFavourite ? selectingText.unmark : selectingText.mark}
            isOff={isOff}
            onPress={(label) => run('heart', label, favouriteSelected)}
          />
          <BarButton
            icon="download"
            label={selectingText.download}
            isOff={isOff}
            onPress={(label) => run('download', label, downloadSelected)}
          />
          <BarButton
            icon="bin"
            label={selectingText.delete}
            isOff={isOff}
            onPress={() => !isOff && setIsDeleting(true)}
          />
        </>
      )}
      {isDeleting && <DeleteSelected onClose={() => setIsDeleting(false)} />}
    </div>
  );
}

type BarButtonProps = {
  icon: 'heart' | 'download' | 'bin';
  label: string;
  isOff: boolean;
  onPress: (label: string) => void;
};

function BarButton({ icon, label, isOff, onPress }: BarButtonProps) {
  return (
    <button
      type="button"
      class={icon}
      aria-label={label}
      title={label}
      aria-disabled={isOff}
      onClick={() => onPress(label)}
    >
      <Icon name={icon} />
      <span class="chip-text">{label}</span>
    </button>
  );
}
