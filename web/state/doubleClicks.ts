/**
 * Ignores the second click of a double click, and those of a key that is held down. A button that closes a dialog uncovers another button under the pointer,
 * which the user never meant to press. A button that may be pressed quickly in a row has the attribute `data-repeat`.
 */

/** The longest time between the two clicks, or two presses of a key, that mean one. */
export const gapMs = 350;
const nearPixels = 12;

type Click = { target: Element | undefined; x: number; y: number; at: number };

const findPressed = (event: Event) =>
  event.target instanceof Element ? (event.target.closest('button, a') ?? undefined) : undefined;

function isRepeated(event: MouseEvent, last: Click, target: Element | undefined): boolean {
  if (event.timeStamp - last.at > gapMs && event.detail < 2) return false;
  // The keyboard's clicks have no position, and count no repetition.
  if (event.detail === 0) return target === last.target;
  return Math.hypot(event.clientX - last.x, event.clientY - last.y) <= nearPixels;
}

export function ignoreDoubleClicks(): void {
  let last: Click | undefined;
  // A user who has typed in between does not click twice.
  addEventListener(
    'input',
    () => {
      last = undefined;
    },
    true,
  );
  // A held-down key clicks again and again.
  addEventListener(
    'keydown',
    (event) => {
      const target = findPressed(event);
      if (event.key === 'Enter' && event.repeat && target && !target.hasAttribute('data-repeat'))
        event.preventDefault();
    },
    true,
  );
  addEventListener(
    'keydown',
    ({ key }) => {
      if (key !== 'Enter' && key !== ' ') last = undefined;
    },
    true,
  );
  addEventListener(
    'click',
    (event) => {
      const target = findPressed(event);
      if (last && isRepeated(event, last, target) && !target?.hasAttribute('data-repeat')) {
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      // Only presses of buttons and links count: a label sends a second click to its own field.
      last = target && { target, x: event.clientX, y: event.clientY, at: event.timeStamp };
    },
    true,
  );
}
