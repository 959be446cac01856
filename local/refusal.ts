/** The local run cannot start. The message says why, and what to do; it is printed without a stack trace. */
export class StartRefused extends Error {
  override name = 'StartRefused';
}
