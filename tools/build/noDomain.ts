/**
 * Replaces node:domain in the bundle. The functions-framework runs every request in a domain, and with a single domain
 * Node tracks every promise and handle of the process, which takes a fifth of the time of a `generate`. We do not need
 * domains: `endpoint` and the process's own listeners handle uncaught errors.
 */
const domain = {
  on: () => domain,
  exit: () => {},
  run: (work: () => void) => work(),
  bind: <F>(callback: F): F => callback,
};

// The framework reads the current domain when it receives an event.
Object.assign(process, { domain });

export const create = () => domain;
