/** Drawings of the studio's own, for places without images. They take the page's colours and say nothing to screen readers. */

/** A wall with frames: where the images will hang. */
export function EmptyWallDrawing() {
  return (
    <svg class="drawing" viewBox="0 0 320 200" aria-hidden="true" focusable="false">
      <rect class="paper framed" x="14" y="34" width="92" height="92" rx="10" />
      <rect class="shade" x="24" y="44" width="72" height="72" rx="5" />
      <circle class="sun" cx="74" cy="66" r="11" />
      <path class="line" d="M26 112l22-28 16 18 10-10 20 20" />
      <rect class="paper framed" x="122" y="16" width="76" height="116" rx="10" />
      <rect class="shade" x="132" y="26" width="56" height="96" rx="5" />
      <path class="sun" d="M150 42c4-1 6 1 6 5 1 20 10 33 26 36 4 1 5 5 1 8-22 14-46-10-37-43 1-3 1-5 4-6z" />
      <path class="line" d="M140 112c12-8 28-8 40 0" />
      <rect class="paper framed" x="214" y="46" width="92" height="66" rx="10" />
      <rect class="shade" x="224" y="56" width="72" height="46" rx="5" />
      <path class="line" d="M226 92c8-6 14-6 22 0s14 6 22 0 14-6 22 0" />
      <path class="line" d="M40 176h240M92 176l8-20h34l8 20M104 156c0-10 26-10 26 0" />
      <path class="line" d="M206 176v-14m-12 14c0-12 24-12 24 0M206 160l16-18" />
      <path class="sun" d="M220 136l8 4-4 8-8-3z" />
    </svg>
  );
}

/** A painter's easel under a lamp: the first visit. */
export function FirstVisitDrawing() {
  return (
    <svg class="drawing" viewBox="0 0 480 400" aria-hidden="true" focusable="false">
      <rect class="shade" x="20" y="30" width="440" height="320" rx="28" />
      <circle class="sun" cx="356" cy="118" r="46" />
      <path
        class="paper framed"
        d="M20 300c60-70 96-70 150-10 30-50 74-96 130-96s116 60 160 130v0a28 28 0 0 1-28 26H48a28 28 0 0 1-28-28z"
      />
      <path class="line" d="M300 194c-14 34-8 60 24 92M64 262c20 10 28 30 24 56" />
      <rect class="paper framed" x="118" y="72" width="176" height="132" rx="12" />
      <rect class="shade" x="130" y="84" width="152" height="108" rx="6" />
      <path
        class="sun"
        d="M172 98c7-2 11 2 11 8 3 34 24 57 61 60 8 1 10 8 4 13-37 25-93-9-81-73 1-4 1-7 5-8z"
      />
      <path class="line" d="M254 100l4 11 11 4-11 4-4 11-4-11-11-4 11-4z" />
      <path class="line" d="M206 204v18M150 222h112M162 222l-34 128M250 222l34 128M206 222v96" />
    </svg>
  );
}

/** A purse with a coin: no credits have moved yet. */
export function PurseDrawing() {
  return (
    <svg class="drawing" viewBox="0 0 320 180" aria-hidden="true" focusable="false">
      <path class="paper framed" d="M92 70h136c18 34 26 86-10 92H102c-36-6-28-58-10-92z" />
      <path class="line" d="M92 70c0-12 10-16 22-16h92c12 0 22 4 22 16zM146 54l-6-12M174 54l6-12" />
      <circle class="sun framed" cx="160" cy="116" r="24" />
      <path class="line" d="M154 104c0 10 4 16 14 18M50 150h26M244 150h30" />
    </svg>
  );
}
