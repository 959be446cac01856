/** Why the local run cannot start, in words and commands for the person who asked for it. Shown without a stack. */
export class StartRefused extends Error {
  override name = 'StartRefused';
}
