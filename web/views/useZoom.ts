/** Zooms and moves an image by wheel, fingers, mouse and keys, and turns a swipe into a step to the next image. */
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';

/** @property scale 1 shows the whole image. @property x pixels from the middle, as y. */
type View = { scale: number; x: number; y: number };
type Point = { x: number; y: number };

const whole: View = { scale: 1, x: 0, y: 0 };
const scaleMax = 8;
const swipePixels = 56;
const clamp = (value: number, max: number) => Math.min(max, Math.max(-max, value));
const middle = (one: Point, other: Point): Point => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
const distance = (one: Point, other: Point) => Math.hypot(one.x - other.x, one.y - other.y);

export type Zoom = {
  view: Signal<View>;
  /** True while a finger or the mouse moves the image. */
  isMoving: Signal<boolean>;
  /** @param at the point of the window that stays where it is; the middle by default */
  zoomBy: (factor: number, at?: Point) => void;
  moveBy: (x: number, y: number) => void;
  reset: () => void;
};

type Options = {
  /** What the image is cut off by. */
  frame: { current: HTMLElement | null };
  /** The image, as large as at scale 1. */
  picture: { current: HTMLElement | null };
  /** Another image starts whole. */
  id: string;
  /** 1 for the next image, -1 for the one before. */
  onSwipe: (step: 1 | -1) => void;
};

export function useZoom({ frame, picture, id, onSwipe }: Options): Zoom {
  const view = useSignal(whole);
  const isMoving = useSignal(false);
  const swipe = useRef(onSwipe);
  swipe.current = onSwipe;

  const zoom = useMemo((): Zoom => {
    /** Keeps the image inside of its frame, or in the middle where it is smaller. */
    const place = ({ scale, x, y }: View) => {
      const room = (side: 'offsetWidth' | 'offsetHeight') =>
        Math.max(0, ((picture.current?.[side] ?? 0) * scale - (frame.current?.[side] ?? 0)) / 2);
      view.value = { scale, x: clamp(x, room('offsetWidth')), y: clamp(y, room('offsetHeight')) };
    };
    return {
      view,
      isMoving,
      zoomBy(factor, at) {
        const { scale, x, y } = view.value;
        const next = Math.min(scaleMax, Math.max(1, scale * factor));
        const box = frame.current?.getBoundingClientRect();
        const from =
          at && box
            ? { x: at.x - box.left - box.width / 2, y: at.y - box.top - box.height / 2 }
            : { x: 0, y: 0 };
        const move = (offset: number, point: number) => point - ((point - offset) * next) / scale;
        place({ scale: next, x: move(x, from.x), y: move(y, from.y) });
      },
      moveBy(x, y) {
        const last = view.value;
        place({ ...last, x: last.x + x, y: last.y + y });
      },
      reset() {
        view.value = whole;
      },
    };
  }, [view, isMoving, frame, picture]);

  useLayoutEffect(() => zoom.reset(), [id, zoom]);
  useEffect(
    () => (frame.current ? listen(frame.current, zoom, (step) => swipe.current(step)) : undefined),
    [frame, zoom],
  );
  return zoom;
}

/** Follows the pointers on the frame until the returned function is called. */
function listen(frame: HTMLElement, zoom: Zoom, onSwipe: (step: 1 | -1) => void): () => void {
  const { view, isMoving } = zoom;
  const listening = new AbortController();
  const { signal } = listening;
  const pointers = new Map<number, Point>();
  /** Where a single finger began; undefined once there was a second one. */
  let start: Point | undefined;

  frame.addEventListener(
    'pointerdown',
    (event) => {
      if ((event.target as Element).closest('button, input') || event.button !== 0) return;
      const point = { x: event.clientX, y: event.clientY };
      start =
        pointers.size === 0 && view.value.scale === 1 && event.pointerType === 'touch' ? point : undefined;
      pointers.set(event.pointerId, point);
      frame.setPointerCapture(event.pointerId);
      isMoving.value = true;
    },
    { signal },
  );
  frame.addEventListener(
    'pointermove',
    ({ pointerId, clientX: x, clientY: y }) => {
      const last = pointers.get(pointerId);
      if (!last) return;
      const point = { x, y };
      const [other] = [...pointers].filter(([one]) => one !== pointerId).map(([, one]) => one);
      pointers.set(pointerId, point);
      if (other) {
        const before = middle(last, other);
        const after = middle(point, other);
        zoom.zoomBy(distance(point, other) / Math.max(1, distance(last, other)), after);
        zoom.moveBy(after.x - before.x, after.y - before.y);
      } else if (start) view.value = { scale: 1, x: x - start.x, y: 0 };
      else zoom.moveBy(x - last.x, y - last.y);
    },
    { signal },
  );
  const end = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    isMoving.value = pointers.size > 0;
    if (!start) return;
    const x = event.clientX - start.x;
    const y = event.clientY - start.y;
    start = undefined;
    zoom.reset();
    const isSwipe = Math.abs(x) > swipePixels && Math.abs(x) > Math.abs(y) * 1.5;
    if (event.type === 'pointerup' && isSwipe) onSwipe(x < 0 ? 1 : -1);
  };
  frame.addEventListener('pointerup', end, { signal });
  frame.addEventListener('pointercancel', end, { signal });
  frame.addEventListener(
    'dblclick',
    (event) => {
      if ((event.target as Element).closest('button, input')) return;
      if (view.value.scale > 1) zoom.reset();
      else zoom.zoomBy(2.5, { x: event.clientX, y: event.clientY });
    },
    { signal },
  );
  frame.addEventListener(
    'wheel',
    (event) => {
      // Where the image scrolls with its text, a wheel alone scrolls. A pinch on a trackpad comes with Ctrl.
      const isPinch = event.ctrlKey || event.metaKey;
      if (!isPinch && view.value.scale === 1 && getComputedStyle(frame).touchAction.includes('pan')) return;
      event.preventDefault();
      zoom.zoomBy(Math.exp(-event.deltaY * (isPinch ? 0.01 : 0.002)), { x: event.clientX, y: event.clientY });
    },
    { signal, passive: false },
  );
  frame.addEventListener(
    'touchstart',
    (event) => {
      // Two fingers zoom the image, not the page.
      if (event.touches.length > 1) event.preventDefault();
    },
    { signal, passive: false },
  );
  return () => listening.abort();
}
