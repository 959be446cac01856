import { Composer } from './Composer.tsx';
import { Gallery } from './Gallery.tsx';
import { PendingGenerations } from './PendingGenerations.tsx';

/** The main view: the form, what is being painted, and the user's images. */
export function Create({ hidden }: { hidden: boolean }) {
  return (
    <div class="create" hidden={hidden}>
      <h1 class="unseen">Create</h1>
      <Composer />
      <div class="images">
        <PendingGenerations />
        <Gallery isShown={!hidden} />
      </div>
    </div>
  );
}
