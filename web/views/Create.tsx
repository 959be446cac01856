import { text } from '../strings/en.ts';
import { Composer } from './Composer.tsx';
import { Failures } from './Failures.tsx';
import { Gallery } from './Gallery.tsx';
import { useKeptScroll } from './keptScroll.ts';

/** The main view: the gallery over the whole page, and the composer at hand. */
export function Create({ hidden }: { hidden: boolean }) {
  useKeptScroll(!hidden);
  return (
    <div class="create" hidden={hidden}>
      <h1 class="visually-hidden" id="create-title" tabIndex={-1}>
        {text.header.create}
      </h1>
      <Composer />
      <div class="images">
        <Failures />
        <Gallery isShown={!hidden} />
      </div>
    </div>
  );
}
