/** What stands beside the bundle in dist/: what makes it a Node package of its own, and the page for Hosting. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { apiPages } from '../openapi/pages.ts';
import { buildPage } from './page.ts';

/** Where the page is in dist/, and so in what the Firebase CLI uploads. */
export const hostingFolder = 'hosting';

const manifest = {
  name: 'nano-banana-studio-functions',
  version: '0.0.0',
  private: true,
  type: 'module',
  engines: { node: '24' },
  // An empty gcp-build keeps Google's buildpack from building again.
  scripts: { start: 'exec node main.mjs', 'gcp-build': '' },
};

/** A lockfile of nothing: everything is in the bundle, so an install has nothing to fetch. */
const lockfile = {
  name: manifest.name,
  version: manifest.version,
  lockfileVersion: 3,
  requires: true,
  packages: { '': { name: manifest.name, version: manifest.version, engines: manifest.engines } },
};

/** Makes the bundle in `outdir` a package that starts by itself and needs no other. */
export function writePackage(outdir: string): void {
  const write = (name: string, text: string) => writeFileSync(join(outdir, name), text);
  write('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
  write('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
  // Node itself gets Cloud Run's signal to end: under npm it would not be handed on in time.
  write('Procfile', 'web: exec node main.mjs\n');
  write('.gcloudignore', `${hostingFolder}/\ndeploy/\nfirebase*.json\nfirestore.*\n`);
}

/** Builds the studio's page and the reference of the functions into `outdir`, as Firebase Hosting takes them. */
export async function writePage(webDir: string, outdir: string): Promise<void> {
  for (const [path, { body }] of [...(await buildPage(webDir)), ...(await apiPages())]) {
    // Hosting leaves the ending out again: it finds /reference in reference.html.
    const file = join(outdir, hostingFolder, extname(path) ? path : `${path}.html`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  }
}
