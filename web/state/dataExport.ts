/** The export of the user's data: as JSON, or with the images as a ZIP file. One at a time. */

import { signal } from '@preact/signals';
import type { Client } from '../client.ts';
import { chooseFile, saveBlob } from '../saveFile.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';
import { announce } from './announce.ts';

type ExportState =
  | { state: 'idle' }
  /** Without `total` the data itself is read; then the images. */
  | { state: 'running'; done: number; total?: number }
  /** @property missing images that could not be fetched */
  | { state: 'done'; missing: number }
  | { state: 'failed'; problem: string };

const jsonName = 'nano-banana-studio.json';
const zipName = 'nano-banana-studio.zip';

export function createDataExport(client: Pick<Client, 'exportAccount'>) {
  const progress = signal<ExportState>({ state: 'idle' });
  let running: AbortController | undefined;

  /** @param work returns how many images are missing. */
  async function run(work: (signal: AbortSignal) => Promise<number>): Promise<void> {
    const own = new AbortController();
    running = own;
    progress.value = { state: 'running', done: 0 };
    try {
      const missing = await work(own.signal);
      progress.value = { state: 'done', missing };
      // The account dialog says it too, if it is open.
      if (!document.querySelector('dialog.account')) announce(text.common.exported);
    } catch (error) {
      progress.value = own.signal.aborted
        ? { state: 'idle' }
        : { state: 'failed', problem: problemText(error) };
    } finally {
      running = undefined;
    }
  }

  return {
    progress,

    saveJson: () =>
      run(async (signal) => {
        const data = await client.exportAccount({ signal });
        saveBlob(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }), jsonName);
        return 0;
      }),

    async saveZip(): Promise<void> {
      const save = await chooseFile(zipName, 'application/zip');
      if (!save) return;
      await run(async (signal) => {
        const [{ createExportZip }, data] = await Promise.all([
          import('../exportZip.ts'),
          client.exportAccount({ signal }),
        ]);
        const onProgress = (done: number, total: number) => {
          progress.value = { state: 'running', done, total };
        };
        const { stream, missing } = createExportZip(data, { signal, onProgress });
        await save(stream, signal);
        return missing.length;
      });
    },

    cancel: () => running?.abort(),
  };
}
