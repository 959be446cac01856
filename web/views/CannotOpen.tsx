import { firstText as text } from '../strings/first.ts';

/** Shown if the Firebase configuration or the studio's code could not be read. */
export function CannotOpen({ error }: { error: unknown }) {
  return (
    <main class="notice" id="main">
      <h1>{text.common.cannotOpen}</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        {text.common.tryAgain}
      </button>
    </main>
  );
}
