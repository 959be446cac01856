import { announcement, openDialogs } from '../state/announce.ts';

/** A live region, of the page or of the dialog that it is in. The uppermost one has the message. */
export function Announcer({ dialog }: { dialog?: object }) {
  const { text, isVisible, number } = announcement.value;
  return (
    <div class="announcer" role="status">
      {text && openDialogs.value.at(-1) === dialog && (
        <p key={number} class={isVisible === true || (isVisible && dialog) ? undefined : 'visually-hidden'}>
          {text}
        </p>
      )}
    </div>
  );
}
