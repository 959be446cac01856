/** Lets timers and other requests run before the caller continues. For work on megabytes, which would make them wait. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
