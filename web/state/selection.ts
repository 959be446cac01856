/** Several images of the gallery that the user has selected, and what is done with all of them. */
import { computed, signal } from '@preact/signals';
import type { Generation } from '../../shared/contract.ts';

/** How many images are changed at once. */
const atOnce = 4;

/** @param listShown the images that the gallery shows, in their order */
export function createSelection(listShown: () => readonly Generation[]) {
  const isOn = signal(false);
  const ids = signal<ReadonlySet<string>>(new Set());
  /** What is going on with the selected images. */
  const work = signal<{ done: number; total: number } | undefined>();
  const selected = computed(() => listShown().filter(({ id }) => ids.value.has(id)));
  let last: string | undefined;
  let running: AbortController | undefined;

  function toggle(id: string): void {
    isOn.value = true;
    last = id;
    const next = new Set(ids.value);
    if (!next.delete(id)) next.add(id);
    ids.value = next;
  }

  function clear(): void {
    isOn.value = false;
    ids.value = new Set();
    last = undefined;
  }

  /** Shows the progress of work, and lets the user cancel it. One work at a time. @throws what the work throws */
  async function run(
    total: number,
    act: (signal: AbortSignal, onProgress: (done: number, total: number) => void) => Promise<void>,
  ): Promise<void> {
    if (work.value) return;
    const own = new AbortController();
    running = own;
    const onProgress = (done: number) => {
      work.value = { done, total };
    };
    onProgress(0);
    try {
      await act(own.signal, onProgress);
    } catch (error) {
      if (!own.signal.aborted) throw error;
    } finally {
      work.value = undefined;
    }
  }

  return {
    isOn,
    ids,
    work,
    /** Those that are still shown, in the order of the gallery. */
    selected,

    start(): void {
      isOn.value = true;
    },
    toggle,

    /** Selects everything from the image that was selected last to this one. */
    extendTo(id: string): void {
      const shown = listShown();
      const positionOf = (of: string | undefined) => shown.findIndex((one) => one.id === of);
      const [from, to] = [positionOf(last), positionOf(id)];
      if (from < 0 || to < 0) {
        toggle(id);
        return;
      }
      const range = shown.slice(Math.min(from, to), Math.max(from, to) + 1);
      isOn.value = true;
      ids.value = new Set([...ids.value, ...range.map((one) => one.id)]);
    },

    selectAll(): void {
      isOn.value = true;
      ids.value = new Set(listShown().map(({ id }) => id));
    },
    remove(id: string): void {
      if (!ids.value.has(id)) return;
      ids.value = new Set([...ids.value].filter((one) => one !== id));
    },
    clear,

    run,

    /**
     * Does something with each image, several at once, until it is cancelled.
     * @returns how many succeeded and how many failed
     */
    async forEach(
      images: readonly Generation[],
      act: (generation: Generation) => Promise<void>,
    ): Promise<{ done: number; failed: number }> {
      let [done, failed] = [0, 0];
      await run(images.length, async (signal, onProgress) => {
        const waiting = [...images];
        const next = async () => {
          for (let image = waiting.shift(); image && !signal.aborted; image = waiting.shift()) {
            const isDone = await act(image).then(
              () => true,
              () => false,
            );
            if (isDone) done += 1;
            else failed += 1;
            onProgress(done + failed, images.length);
          }
        };
        await Promise.all(Array.from({ length: atOnce }, next));
      });
      return { done, failed };
    },

    cancel: () => running?.abort(),
  };
}
