/** What is said to everybody: read out by screen readers, and shown for a while. */
import { signal } from '@preact/signals';

const shownMs = 5_000;

/** The number makes the same words twice two announcements. */
export const announcement = signal<{ text: string; number: number }>({ text: '', number: 0 });
let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string): void {
  clearTimeout(timer);
  announcement.value = { text, number: announcement.value.number + 1 };
  timer = setTimeout(() => {
    announcement.value = { ...announcement.value, text: '' };
  }, shownMs);
}
