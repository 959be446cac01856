/** npm run dev: the functions start anew when a source file has changed. */
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';

/** What the functions' process is made of. */
const sourceFolders = ['functions', 'shared', 'web', 'local', 'tools'];

/** An editor writes a file in several steps, and a checkout many files: all within this are one change. */
const debounceMs = 100;

/** Calls `onChange` with a changed file after each change of the sources; the returned function ends it. */
export function watchSources(root: string, onChange: (file: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const scheduleChange = (folder: string, file: string | null) => {
    // Editors' own files are no sources.
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
