/** What is shown when not even the configuration could be read. */
export function CannotOpen({ error }: { error: unknown }) {
  return (
    <main class="notice" id="main">
      <h1>The studio cannot be opened</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
