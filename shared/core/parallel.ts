/** Does `work` for every item, at most `parallelMax` at once, in their order. Rejects as soon as one does. */
export async function inParallel<T>(
  items: readonly T[],
  parallelMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallelMax, items.length) }, worker));
}
