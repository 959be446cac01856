/** Short messages for everybody: screen readers speak them, and the page shows most of them for a few seconds. */
import { signal } from '@preact/signals';

const shownMs = 5_000;

/** False is for screen readers only, when the view already shows the same; `overDialogs` when only the page shows it. */
type Visibility = boolean | 'overDialogs';

/** `number` increases with each message, so that a repeated text is announced again. */
export const announcement = signal({ text: '', isVisible: true as Visibility, number: 0 });
/** The uppermost is the last. All but it are inert, with the page: only it can speak and be seen. */
export const openDialogs = signal<readonly object[]>([]);
let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string, isVisible: Visibility = true): void {
  clearTimeout(timer);
  announcement.value = { text, isVisible, number: announcement.value.number + 1 };
  timer = setTimeout(() => {
    announcement.value = { ...announcement.value, text: '' };
  }, shownMs);
}
