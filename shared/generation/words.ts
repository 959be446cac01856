/** The words by which a search finds an image: those of the prompt, and of what its user wrote before an improvement. */
import type { GenerationRecord } from './record.ts';

/** Most distinct words of one generation: each is one entry of the index. English prompts of the full length have fewer. */
const wordsMax = 400;
/** The part of a longer word that counts, in Unicode code points. */
const wordCharactersMax = 30;

const letters = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts that put no spaces between words. */
const unspaced = ['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar']
  .map((script) => `\\p{scx=${script}}`)
  .join('');
const sameKind = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu');
const startsUnspaced = new RegExp(`^[${unspaced}]`, 'u');

/** The words of a finished image, in the order of the text. A text without spaces has all its characters and pairs of neighbours. */
export function toWords({
  prompt,
  originalPrompt,
}: Pick<GenerationRecord, 'prompt' | 'originalPrompt'>): string[] {
  const words = splitText(`${prompt ?? ''} ${originalPrompt ?? ''}`, (characters) =>
    characters.flatMap((character, i) => [character, ...toPairs(characters.slice(i, i + 2))]),
  );
  return words.slice(0, wordsMax);
}

/** The words that an image must have to be found. Of a text without spaces they are the pairs of neighbours. */
export const toQueryWords = (query: string): string[] =>
  splitText(query, (characters) => (characters.length === 1 ? characters : toPairs(characters)));

const toPairs = (characters: readonly string[]) =>
  characters.slice(1).map((character, i) => `${characters[i]}${character}`);

/** The distinct words of a text: runs of letters, marks and digits in lower case. @param split for runs without spaces. */
function splitText(text: string, split: (characters: string[]) => string[]): string[] {
  const runs = (text.normalize('NFKC').toLowerCase().match(letters) ?? []).flatMap(
    (run) => run.match(sameKind) ?? [],
  );
  const words = runs.flatMap((run) => {
    const characters = [...run];
    return startsUnspaced.test(run) ? split(characters) : [characters.slice(0, wordCharactersMax).join('')];
  });
  return [...new Set(words)];
}
