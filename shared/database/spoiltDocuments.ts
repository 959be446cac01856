/**
 * Documents that an edit in the console has spoilt. They are logged with their path, once for each version, and never
 * affect other documents.
 */
import type * as z from 'zod';
import type { Log } from '../core/log.ts';
import type { StoredDocument, Version } from './database.ts';

/** A document lacks a field, or a field has another type than it needs. The message names the path, never a value. */
export class UnreadableDocument extends Error {
  override name = 'UnreadableDocument';
  /** For the log. */
  readonly fields: { event: 'document_unreadable'; path: string };

  constructor(path: string, mistyped: readonly string[]) {
    super(`${path} cannot be read: check the fields ${mistyped.join(', ')}`);
    this.fields = { event: 'document_unreadable', path };
  }
}

/** @throws {UnreadableDocument} if the document does not fit the schema. */
export function parseDocument<T>(schema: z.ZodType<T>, { path, data }: StoredDocument): T {
  const { success, data: parsed, error } = schema.safeParse(data);
  if (success) return parsed;
  throw new UnreadableDocument(path, [...new Set(error.issues.map((issue) => issue.path.join('.')))]);
}

/** Parses documents and leaves out the unreadable ones, which are logged. */
export function parseReadable<T>(
  log: Log,
  documents: readonly StoredDocument[],
  parse: (document: StoredDocument) => T,
): T[] {
  return documents.flatMap((document) => {
    try {
      return [parse(document)];
    } catch (error) {
      if (!(error instanceof UnreadableDocument)) throw error;
      if (isNew(log, document)) log.error('A document cannot be read', { ...error.fields, error });
      return [];
    }
  });
}

/** Parses a document that may be missing. An unreadable one is logged, and counts as missing. */
export const parseIfReadable = <T>(
  log: Log,
  document: StoredDocument | undefined,
  parse: (document: StoredDocument) => T,
): T | undefined => parseReadable(log, document ? [document] : [], parse)[0];

/** The event and the path for the log, if the error is that of an unreadable document. */
export const getSpoiltFields = (error: unknown) => (error instanceof UnreadableDocument ? error.fields : {});

/** Logs fields that have the wrong type, and are therefore read in the safe way, and those that nothing reads. */
export function logMistyped(log: Log, document: StoredDocument, fields: readonly string[]): void {
  if (fields.length === 0 || !isNew(log, document)) return;
  const { path } = document;
  log.warning('Fields of a document have a wrong type or name', { event: 'document_mistyped', path, fields });
}

/** Most documents whose logged version an instance remembers. */
const rememberedMax = 1_000;
const logged = new WeakMap<Log, Map<string, Version>>();

/** True at the first call for a version of a document. */
function isNew(log: Log, { path, version }: StoredDocument): boolean {
  const versions = logged.get(log) ?? new Map<string, Version>();
  logged.set(log, versions);
  if (versions.get(path)?.isEqual(version as never)) return false;
  if (versions.size >= rememberedMax) versions.clear();
  versions.set(path, version);
  return true;
}
