/** Text that a person writes. */
import * as z from 'zod';
import { countOf, describe } from './describe.ts';

/** The longest prompt, in Unicode code points. */
export const promptCharactersMax = 4000;

/**
 * The longest prompt as sent, in UTF-8 bytes. It allows for the decomposed Unicode that macOS sends, in which an accent
 * is a separate character.
 */
export const promptBytesMax = 48_000;

// Line breaks of word processors: vertical tab, form feed, next line, line separator and paragraph separator.
const otherLineBreaks = /[\v\f\u0085\u2028\u2029]/gu;

// Control characters except tab, line feed and carriage return: no prompt needs them, and they spoil logs.
export const controlCharacters = /[^\P{Cc}\t\n\r]/u;

// Unicode limits stacked marks to 30 in its Stream-Safe Text Format. Normalising thousands takes quadratic time.
const stackedMarks = /\p{M}{31}/u;

/** Text that a person writes, with every line break as `\n` or `\r\n`. @param bytesMax of its UTF-8, checked first. */
export const textSchema = (bytesMax: number) =>
  z
    .string({ error: 'must be text' })
    .refine((text) => text.length <= bytesMax && new TextEncoder().encode(text).length <= bytesMax, {
      error: `must have at most ${countOf(bytesMax, 'byte')}`,
      abort: true,
    })
    .overwrite((text) => text.replace(otherLineBreaks, '\n'))
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .refine((text) => !controlCharacters.test(text), 'must not contain control characters')
    .refine((text) => !stackedMarks.test(text), 'must not stack more than 30 marks on a letter')
    .refine((text) => text.trim() !== '', 'must not be empty');

/** The rules of a prompt. A field with another description needs its own schema. */
export const createPromptSchema = () =>
  textSchema(promptBytesMax)
    .transform((prompt) => prompt.normalize('NFC'))
    .refine(
      (prompt) => [...prompt].length <= promptCharactersMax,
      `must have at most ${countOf(promptCharactersMax, 'character')}`,
    );

export const promptSchema = describe(
  'The prompt. No control characters except tab and line breaks. Line breaks of word processors, such as U+2028, become line feeds.',
  createPromptSchema(),
  { minLength: 1, maxLength: promptCharactersMax },
);

/** Why an admin does something, in words. */
export const reasonSchema = (description: string) =>
  describe(
    description,
    textSchema(2_000).refine((reason) => reason.length <= 500, 'must have at most 500 characters'),
    { minLength: 1 },
  );
