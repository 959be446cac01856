/** A notification of the system when the last running image is ready or has failed while the tab is hidden. */
import { effect } from '@preact/signals';
import { text } from '../strings/en.ts';
import type { createPendingGenerations } from './pendingGenerations.ts';
import { isNotifying } from './preferences.ts';

type Generations = Pick<ReturnType<typeof createPendingGenerations>, 'running' | 'failed'>;

/** Follows the generations until the returned function is called. */
export function notifyInBackground({ running, failed }: Generations): () => void {
  let startedWith = { running: 0, failed: 0 };
  return effect(() => {
    const now = { running: running.value.length, failed: failed.value.length };
    if (now.running > 0) {
      if (startedWith.running === 0) startedWith = now;
      startedWith.running = Math.max(startedWith.running, now.running);
      return;
    }
    const failures = Math.max(0, now.failed - startedWith.failed);
    const count = startedWith.running;
    startedWith = now;
    if (count > 0) notify(failures > 0 ? text.making.noticeFailed(failures) : text.making.noticeReady(count));
  });
}

function notify(body: string): void {
  if (!isNotifying.peek() || !document.hidden || !('Notification' in globalThis)) return;
  if (Notification.permission !== 'granted') return;
  try {
    const notification = new Notification(text.common.studio, { body, tag: 'nano-banana-studio' });
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
  } catch {
    // Some browsers of phones allow notifications from service workers only.
  }
}
