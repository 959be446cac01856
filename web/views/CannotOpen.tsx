import { firstText as text } from '../strings/first.ts';

/**
 * Shown if the Firebase configuration or the studio's code could not be read.
 * @param problem what is wrong, if it is not the connection
 */
export function CannotOpen({ problem = text.common.checkConnection }: { problem?: string | undefined }) {
  return (
    <main class="notice" id="main">
      <h1>{text.common.cannotOpen}</h1>
      <p>{problem}</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        {text.common.tryAgain}
      </button>
    </main>
  );
}
