/** The files at the root of the site that belong to no page: /404.html, /favicon.ico and /robots.txt. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getMimeType, type Page } from './page.ts';

const folder = join(import.meta.dirname, 'root');

/** Every file by its URL path. Firebase Hosting answers unknown addresses with /404.html. */
export function rootFiles(): Map<string, Page> {
  return new Map(
    readdirSync(folder).map((name) => [
      `/${name}`,
      { type: getMimeType(name), body: readFileSync(join(folder, name)) },
    ]),
  );
}
