import { Button } from '../components/Button.tsx';
import { isOnline } from '../state/connection.ts';
import { text } from '../strings/en.ts';

/** Shown above the studio if a part that is loaded later could not be loaded. Browsers try that again after a reload only. */
export function NotLoaded() {
  return (
    <div class="bar" role="alert">
      <span>{text.header.notLoaded}</span>
      <Button
        aria-disabled={!isOnline.value}
        onClick={() => {
          if (isOnline.value) location.reload();
        }}
      >
        {text.header.reload}
      </Button>
    </div>
  );
}
