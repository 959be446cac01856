/** Turns while the user waits for something short. The label of the button says for what. */
export function Spinner() {
  return <span class="spinner" aria-hidden="true" />;
}
