/** The tables of docs/setup/environment.md, made of the schema itself. */
import { resolve } from 'node:path';
import { environment } from '../../shared/config/environment.ts';
import type { Document } from './markdown.ts';
import { isHalfRegion, withRegion } from './regions.ts';

/** The repository that this command is part of; its environment is nobody else's. */
export const ownFolder = resolve(import.meta.dirname, '../..');
export const environmentPath = 'docs/setup/environment.md';

/** @throws {Error} naming a variable of which the schema does not say what to tell. */
export function environmentTables(sections: Record<string, Record<string, Described>> = environment): string {
  const tables = Object.entries(sections).map(([section, variables]) =>
    [
      `## ${section}`,
      '',
      '| variable | default | effect |',
      '|-|-|-|',
      ...Object.entries(variables).map(([name, schema]) => row(name, schema.meta())),
    ].join('\n'),
  );
  return tables.join('\n\n');
}

type Described = { meta(): { default?: unknown; description?: string | undefined } | undefined };

function row(name: string, meta: ReturnType<Described['meta']>): string {
  if (typeof meta?.default !== 'string')
    throw new Error(`${name} has no default to tell: .meta({ default })`);
  if (!meta.description) throw new Error(`${name} has no effect to tell: .describe()`);
  return `| \`${name}\` | ${meta.default} | ${meta.description} |`;
}

/** The document with tables that are up to date, where it is not. */
export function planEnvironment(folder: string, documents: Map<string, Document>) {
  const texts = new Map<string, string>();
  const document = documents.get(environmentPath);
  if (folder !== ownFolder || !document) return { texts, damaged: [] };
  if (isHalfRegion(document, 'environment')) return { texts, damaged: [environmentPath] };
  const text = withRegion(document, 'environment', environmentTables());
  if (text !== document.text) texts.set(environmentPath, text);
  return { texts, damaged: [] };
}
