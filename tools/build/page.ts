/** Builds the studio's page with Vite, for the local run and for Firebase Hosting. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { build, type Rolldown } from 'vite';

export type Page = { type: string; body: Uint8Array | string };

const mimeTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
};

export const getMimeType = (name: string) => mimeTypes[extname(name)] ?? 'application/octet-stream';

/** What the page needs until the sign-in, and after it, as one file each: several small ones compress worse. */
const sharedFiles = [
  {
    name: 'first',
    test: /preload-helper|node_modules\/(@preact|preact)\/|web\/(views\/CannotOpen|components\/(Announcer|Button|Field|Icon|Mark|OutsideLink|drawings|useLater)|state\/(announce|browserStorage|doubleClicks|preferences|route|session|studioInfo)|strings\/(first|format|prices|en\/(common|shapes|signIn)))\./,
  },
  {
    name: 'studio',
    test: /node_modules\/idb-keyval\/|web\/(client|limits|components\/(Dialog|EmptyState|More|Popover|Segments|Spinner|Tile)|views\/(Composer\w*|ContactSupport|Create|FirstVisit|Gallery(?:Tile)?|Header|Improve|keptScroll|MakingTile|NotLoaded|References|Shortcuts|SkipLink)|strings\/(en|messages|en\/(?!desk|account|explanations|buying|terms|verification|shortcuts|selecting|credits|common|shapes|signIn|image)\w+)|state\/(?!liveAccount|waysOut|dataExport|ledger|useImage|selectionActions|announce|browserStorage|doubleClicks|preferences|route|session|studioInfo)\w+)\./,
  },
];

/** Builds the page in memory: every file by its URL path, such as `/studio/index.html`. */
export async function buildPage(webDir: string): Promise<Map<string, Page>> {
  const result = await build({
    configFile: false,
    root: webDir,
    base: '/studio/',
    logLevel: 'warn',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      target: 'es2024',
      // Never inline a file as a data URL: the Content-Security-Policy would have to allow it.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        output: {
          codeSplitting: {
            includeDependenciesRecursively: false,
            groups: sharedFiles,
          },
        },
      },
    },
  });
  const { output } = result as Rolldown.RolldownOutput;
  const built = output.map((file): [string, Page] => [
    `/studio/${file.fileName}`,
    { type: getMimeType(file.fileName), body: file.type === 'chunk' ? file.code : file.source },
  ]);
  return new Map([...built, ...readAppFiles(webDir)]);
}

/** The manifest of the app and its icons, under the names that the manifest has for them. */
function readAppFiles(webDir: string): [string, Page][] {
  const folder = join(webDir, 'app');
  return readdirSync(folder).map((name) => [
    `/studio/app/${name}`,
    { type: getMimeType(name), body: readFileSync(join(folder, name)) },
  ]);
}
