/** Calls as they were really made, with stand-ins for what varies: docs/api/examples.json. */
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
  /** By function, a plain success first. */
  functions: Record<string, Example[]>;
  /** By reason. */
  errors: Record<string, Example>;
};

/** @throws {Error} where the file is missing or is no JSON. */
export function readExamples(): Examples {
  return JSON.parse(readFileSync(examplesFile, 'utf8'));
}
