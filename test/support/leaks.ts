/** Records everything that servers reply and log, and finds what must not be in it. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** A short prompt or a single word may be part of another text. */
const isDistinctive = (prompt: string) => prompt.length >= 10 && prompt.trim().includes(' ');

/** Watches replies and log lines. `verify` throws with what leaked. */
export function watchLeaks() {
  const secrets = new Set<string>();
  const prompts = new Set<string>();
  const answers: string[] = [];
  const lines: string[] = [];

  /** The words that some text contains, written as JSON writes them. */
  const findLeaks = (words: Iterable<string>, texts: readonly string[], where: string) =>
    [...words].flatMap((word) => {
      const written = JSON.stringify(word).slice(1, -1);
      const text = texts.find((one) => one.includes(written));
      return text === undefined ? [] : [`${JSON.stringify(word)} is in ${where}: ${text.slice(0, 2_000)}`];
    });

  function keepAnswer(request: IncomingMessage, response: ServerResponse): void {
    const chunks: string[] = [];
    const { write, end } = response;
    const keep = (chunk: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array)
        chunks.push(Buffer.from(chunk).toString());
    };
    response.write = function (this: ServerResponse, ...args: unknown[]) {
      keep(args[0]);
      return write.apply(this, args as never);
    } as typeof write;
    response.end = function (this: ServerResponse, ...args: unknown[]) {
      keep(args[0]);
      answers.push(`${request.url} ${JSON.stringify(this.getHeaders())} ${chunks.join('')}`);
      return end.apply(this, args as never);
    } as typeof end;
  }

  return {
    /** Every reply: path, headers and body. */
    answers,
    lines,
    /** Adds words that must be nowhere. */
    secret: (...words: string[]) => words.forEach((word) => void secrets.add(word)),
    /** Adds a prompt, which must be in no log line. */
    prompt(word: unknown): void {
      if (typeof word === 'string' && isDistinctive(word)) prompts.add(word);
    },
    line: (line: string) => void lines.push(line),
    /** Records what a server replies from now on. */
    watchServer: (server: Server) => void server.prependListener('request', keepAnswer),

    verify(): void {
      const leaks = [
        ...findLeaks(secrets, answers, 'an answer'),
        ...findLeaks(secrets, lines, 'the log'),
        ...findLeaks(prompts, lines, 'the log'),
      ];
      if (leaks.length > 0) throw new Error(`Something leaked.\n${leaks.join('\n')}`);
    },
  };
}
