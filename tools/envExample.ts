/** The text of .env.example, made from shared/config/environment.ts. `npm run docs` writes it. */
import { environment } from '../shared/config/environment.ts';
import { localVariables } from './localVariables.ts';

type Variable = { meta(): { default?: unknown; description?: string | undefined } | undefined };

const header = `# Every variable of the environment, with its default. Made by npm run docs from shared/config/environment.ts:
# change that, not this file. docs/setup/environment.md has the same as tables.
#
# npm start needs none of them. To change some of a local run, copy this file to .env and uncomment them there: npm start
# and npm run dev read .env, and a variable that the environment has already wins. Tests do not read it.
# With GEMINI_API_KEY and CLOUDINARY_URL the images are real and cost money.
# For a deploy, put those you change into settings.env and pass --settings settings.env (docs/deployment/README.md).
# Git ignores both files, because they may hold keys.`;

/** Examples for required variables, which have no default. */
const examples: Record<string, string> = { GOOGLE_CLOUD_PROJECT: 'demo-nano-banana-studio' };

/**
 * The whole file.
 * @throws {Error} naming a required variable that has no example.
 */
export function formatEnvExample(
  sections: Record<string, Record<string, Variable>> = { ...environment, 'Local run': localVariables },
): string {
  const parts = Object.entries(sections).map(([title, variables]) =>
    [
      `## ${title}`,
      ...Object.entries(variables).map(([name, schema]) => formatVariable(name, schema.meta())),
    ].join('\n\n'),
  );
  return `${[header, ...parts].join('\n\n')}\n`;
}

function formatVariable(name: string, meta: ReturnType<Variable['meta']>): string {
  const shown = String(meta?.default ?? 'unset');
  const comment = `# ${meta?.description ?? ''}\n# Default: ${shown}`.replaceAll('`', '');
  if (shown !== 'required') return `${comment}\n#${name}=${toValue(shown)}`;
  const example = examples[name];
  if (example === undefined) throw new Error(`${name} is required and has no example in tools/envExample.ts`);
  return `${comment.replace('Default: required', 'Required')}\n${name}=${example}`;
}

/** The value of a default as the documents show it, such as `month` or 120,000 (100 to 3,500,000); empty if it has none. */
function toValue(shown: string): string {
  const code = /^`([^`]+)`$/.exec(shown)?.[1];
  const number = /^[\d,]+(?= \()/.exec(shown)?.[0].replaceAll(',', '');
  const value = code ?? number ?? '';
  // A shell reads the file too.
  return /^[\w.,-]*$/.test(value) ? value : `"${value}"`;
}
