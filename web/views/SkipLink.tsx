import { text } from '../strings/en.ts';

/** A button instead of a link to `#main`, because the router owns the hash. */
export function SkipLink() {
  return (
    <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
      {text.header.skip}
    </button>
  );
}
