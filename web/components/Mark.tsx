/** The mark of the studio: a banana that paints a spark. The same as icon.svg. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="#1d1a12" />
      <path
        d="M8.3 6.1c1.5-.5 2.2.3 2.3 1.5.6 7.3 5.2 12 13 12.4 1.7.1 2.3 1.7 1 2.8C17 29 5 22.5 7.2 8.2c.1-1 .4-1.8 1.1-2.1z"
        fill="#ffd23f"
      />
      <path d="M21.5 5.5l1 2.9 2.9 1-2.9 1-1 2.9-1-2.9-2.9-1 2.9-1z" fill="#fff" />
    </svg>
  );
}
