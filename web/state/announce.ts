/** Short messages for everybody: screen readers speak them, and the page shows most of them for a few seconds. */
import { signal } from '@preact/signals';

const shownMs = 5_000;

/** `number` increases with each message, so that a repeated text is announced again. */
export const announcement = signal({ text: '', isVisible: true, number: 0 });
let timer: ReturnType<typeof setTimeout> | undefined;

/** @param isVisible false for screen readers only, when the page already shows the same information */
export function announce(text: string, isVisible = true): void {
  clearTimeout(timer);
  announcement.value = { text, isVisible, number: announcement.value.number + 1 };
  timer = setTimeout(() => {
    announcement.value = { ...announcement.value, text: '' };
  }, shownMs);
}
