/** The recorded calls in docs/api/examples.json. Values that vary from run to run are replaced by fixed ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const apiDir = join(import.meta.dirname, '../../docs/api');
export const examplesFile = join(apiDir, 'examples.json');

export type Example = {
  title: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  response: { status: number; headers: Record<string, string>; body: unknown };
};

export type Examples = {
  /** By function. The first is a plain success. */
  functions: Record<string, Example[]>;
  /** By reason. */
  errors: Record<string, Example>;
};

/** @throws {Error} if the file is missing or is not JSON. */
export function readExamples(): Examples {
  return JSON.parse(readFileSync(examplesFile, 'utf8'));
}
