/** Writes the other files of dist/: the Node package around the bundle, and the page for Firebase Hosting. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { apiPages } from '../openapi/pages.ts';
import { buildPage } from './page.ts';
import { rootFiles } from './rootFiles.ts';

/** The page's folder in dist/, which the Firebase CLI uploads. */
export const hostingFolder = 'hosting';

const manifest = {
  name: 'nano-banana-studio-functions',
  version: '0.0.0',
  private: true,
  type: 'module',
  engines: { node: '24' },
  // With an empty gcp-build, Google's buildpack does not run a build.
  scripts: { start: 'exec node main.mjs', 'gcp-build': '' },
};

/** An empty lockfile: everything is in the bundle, so there is nothing to install. */
const lockfile = {
  name: manifest.name,
  version: manifest.version,
  lockfileVersion: 3,
  requires: true,
  packages: { '': { name: manifest.name, version: manifest.version, engines: manifest.engines } },
};

/** Adds the files that make the bundle in `outdir` a package without dependencies. */
export function writePackage(outdir: string): void {
  const write = (name: string, text: string) => writeFileSync(join(outdir, name), text);
  write('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
  write('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
  // Node must be the main process to get Cloud Run's SIGTERM: npm would not pass it on in time.
  write('Procfile', 'web: exec node main.mjs\n');
  write('.gcloudignore', `${hostingFolder}/\ndeploy/\nfirebase*.json\nfirestore.*\n`);
}

/** Builds the page, the API reference and the files at the root into `outdir`, in the layout that Firebase Hosting expects. */
export async function writePage(webDir: string, outdir: string): Promise<void> {
  for (const [path, { body }] of [...rootFiles(), ...(await buildPage(webDir)), ...(await apiPages())]) {
    // Hosting serves /reference from reference.html.
    const file = join(outdir, hostingFolder, extname(path) ? path : `${path}.html`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  }
}
