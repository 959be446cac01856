import { useLater } from '../components/useLater.ts';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { Composer } from './Composer.tsx';
import { Gallery } from './Gallery.tsx';
import { useKeptScroll } from './keptScroll.ts';
import { NotLoaded } from './NotLoaded.tsx';

const loadFailures = async () => (await import('./Failures.tsx')).Failures;

/** The main view: the gallery over the whole page, and the composer at hand. */
export function Create({ hidden }: { hidden: boolean }) {
  useKeptScroll(!hidden);
  // With the first generation, because it may be the network that fails.
  const isMaking = usePageState().pendingGenerations.list.value.length > 0;
  const { view: Failures, error } = useLater(isMaking, loadFailures);
  return (
    <div class="create" hidden={hidden}>
      <h1 class="visually-hidden" id="create-title" tabIndex={-1}>
        {text.header.create}
      </h1>
      <Composer />
      <div class="images">
        {error !== undefined && <NotLoaded />}
        {Failures && <Failures />}
        <Gallery isShown={!hidden} />
      </div>
    </div>
  );
}
