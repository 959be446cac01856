/** Runs `work` for every item in order, at most `parallelMax` at once. Rejects as soon as one run rejects. */
export async function inParallel<T>(
  items: readonly T[],
  parallelMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const remaining = items.values();
  const worker = async () => {
    for (const item of remaining) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallelMax, items.length) }, worker));
}
