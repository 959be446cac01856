/** Watches the sources for `npm run dev`, which restarts the functions after each change. */
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';

/** The folders from which the functions' process loads code. */
const sourceFolders = ['functions', 'shared', 'web', 'local', 'tools'];

/** Changes within this time count as one: editors write a file in several steps, and a checkout writes many files. */
const debounceMs = 100;

/**
 * Calls `onChange` after each change of the sources, with the path of one changed file.
 * @returns a function that stops watching.
 */
export function watchSources(root: string, onChange: (file: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const scheduleChange = (folder: string, file: string | null) => {
    // Ignore the temporary files of editors.
    if (file === null || !/\.(tsx?|html|css|json|svg)$/.test(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => onChange(join(folder, file)), debounceMs);
  };
  const watchers = sourceFolders
    .filter((folder) => existsSync(join(root, folder)))
    .map((folder) =>
      watch(join(root, folder), { recursive: true }, (_event, file) => scheduleChange(folder, file)),
    );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
