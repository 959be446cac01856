import { announcement } from '../state/announce.ts';

/** The only live region of the page. Most messages are also visible. */
export function Announcer() {
  const { text, isVisible, number } = announcement.value;
  return (
    <div class="announcer" role="status">
      {text && (
        <p key={number} class={isVisible ? undefined : 'visually-hidden'}>
          {text}
        </p>
      )}
    </div>
  );
}
