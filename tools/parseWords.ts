/**
 * Parses the words of a command line.
 * @param refuse makes the error of its text.
 * @throws {Error} with the usage, if the words cannot be parsed.
 */
export function parseWords<Parsed>(
  usage: string,
  parse: () => Parsed,
  refuse = (text: string) => new Error(text),
): Parsed {
  try {
    return parse();
  } catch (error) {
    throw refuse(`${(error as Error).message}\n\n${usage}`);
  }
}
