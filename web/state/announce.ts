/** What is said to everybody: read out by screen readers, and shown for a while. */
import { signal } from '@preact/signals';

const shownMs = 5_000;

/** The number makes the same words twice two announcements. */
export const announcement = signal({ text: '', isVisible: true, number: 0 });
let timer: ReturnType<typeof setTimeout> | undefined;

/** @param isSeen false for what the page shows anyway, and only has to be read out. */
export function announce(text: string, isVisible = true): void {
  clearTimeout(timer);
  announcement.value = { text, isVisible, number: announcement.value.number + 1 };
  timer = setTimeout(() => {
    announcement.value = { ...announcement.value, text: '' };
  }, shownMs);
}
