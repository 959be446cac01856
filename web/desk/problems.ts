import { ApiError } from '../client.ts';
import { deskText } from '../strings/en/desk.ts';
import { problemText } from '../strings/messages.ts';

/** What went wrong, as sentences: one for each field that the functions refuse. */
export function deskProblemText(error: unknown): string {
  if (!(error instanceof ApiError) || error.fieldViolations.length === 0) return problemText(error);
  return error.fieldViolations
    .map(({ field, description }) => deskText.violation(deskText.fields[field] ?? field, description))
    .join(' ');
}
