/** Artifacts of a failed test, in .local/browser. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BrowserWindow } from './browserWindow.ts';

const folder = resolve('.local/browser');

/** Saves a screenshot and the accessibility tree of each page of the window. */
export async function saveArtifacts({ context }: BrowserWindow, testName: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const name = testName.replaceAll(/\W+/g, '-').slice(0, 80);
  for (const [index, page] of context.pages().entries()) {
    const file = join(folder, `${name}${index > 0 ? `-${index + 1}` : ''}`);
    await page.screenshot({ path: `${file}.png` });
    writeFileSync(`${file}.yaml`, await page.locator('body').ariaSnapshot());
    process.stderr.write(`Screenshot: ${file}.png\n`);
  }
}
