import { announcement } from '../state/announce.ts';

/** The page's one live region; what it reads out is seen as well. */
export function Announcer() {
  const { text, isVisible, number } = announcement.value;
  return (
    <div class="announcer" role="status">
      {text && (
        <p key={number} class={isVisible ? undefined : 'unseen'}>
          {text}
        </p>
      )}
    </div>
  );
}
