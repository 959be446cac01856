/** Runs programs of the project for a test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Runs a program to its end. @throws {Error} with its output, if it fails. */
export async function run(
  program: string,
  args: string[],
  { cwd, home }: { cwd: string; home: string },
): Promise<void> {
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${output}`);
}

/** Builds what is deployed into a folder. */
export const buildInto = (folder: string) =>
  run(process.execPath, [join(process.cwd(), 'tools/build/build.ts'), folder], {
    cwd: process.cwd(),
    home: folder,
  });
