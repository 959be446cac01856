/** Shown if the Firebase configuration could not be read. */
export function CannotOpen({ error }: { error: unknown }) {
  return (
    <main class="notice" id="main">
      <h1>The studio could not be opened</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
