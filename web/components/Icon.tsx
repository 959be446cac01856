/** Icons on a 24 × 24 grid, drawn in the text colour. They are hidden from screen readers: always add a label. */
const paths = {
  spark: 'M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8zM19 16v4M17 18h4',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01',
  imagePlus: 'M20 11v8H4V5h9M4 16l5-5 5 5M18 3v6M15 6h6',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  up: 'M12 19V5m-6 6l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  download: 'M12 4v11m-5-5l5 5 5-5M5 20h14',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1',
  again: 'M20 11a8 8 0 1 0-2 6M20 5v6h-6',
  pen: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  bin: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  keys: 'M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-5 15-5 16 0',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  check: 'M5 12l5 5 9-10',
  brush: 'M20 4c-6 2-10 6-12 10l2 2c4-2 8-6 10-12zM8 14c-3 0-3 4-5 5 4 2 7 0 7-3',
  stack: 'M8 8h12v12H8zM4 16V4h12',
  pixels: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  hide: 'M4 4l16 16M9.5 6.5C14 5 18.5 8 21 12c-.7 1.2-1.6 2.3-2.6 3.2M15 16.8C10.5 18.8 5.8 16 3 12c.8-1.3 1.8-2.5 3-3.5',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  heart: 'M12 20C5 15.5 3 12 3 9a4.5 4.5 0 0 1 9-1 4.5 4.5 0 0 1 9 1c0 3-2 6.5-9 11z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  share: 'M12 15V4M8 8l4-4 4 4M5 13v7h14v-7',
  minus: 'M5 12h14',
  compare: 'M12 3v18M8 8l-4 4 4 4M16 8l4 4-4 4',
  question: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
