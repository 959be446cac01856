/** The keyboard shortcuts. Loaded with their list. */
export const shortcutRows = [
  ['Ctrl or ⌘ and Enter', 'Create (in the prompt)'],
  ['← →', 'Newer or older image'],
  ['+ − 0', 'Zoom in, zoom out, whole image'],
  ['← → ↑ ↓', 'Move a zoomed image'],
  ['E', 'Describe a change of the image'],
  ['C', 'Compare with the image before'],
  ['Esc', 'Close'],
  ['Delete', 'Delete image'],
  ['/', 'Search'],
  ['X', 'Select the image'],
  ['F', 'Favourite'],
  ['?', 'Show shortcuts'],
] as const;
