import { Composer } from './Composer.tsx';
import { Gallery } from './Gallery.tsx';
import { PendingGenerations } from './PendingGenerations.tsx';

/** The main view: the form, the pending generations and the gallery. */
export function Create({ hidden }: { hidden: boolean }) {
  return (
    <div class="create" hidden={hidden}>
      <h1 class="visually-hidden">Create</h1>
      <Composer />
      <div class="images">
        <PendingGenerations />
        <Gallery isShown={!hidden} />
      </div>
    </div>
  );
}
