/**
 * `npm run admin`: what an admin can do from a terminal, in a deployed studio or in a local run. It makes a user an admin, or
 * revokes it, with the custom claim `admin`. Other claims stay. A new admin needs a new token: the next one, within an hour.
 * A revoked admin is refused at once, and every session of the user ends.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { parseWords } from '../parseWords.ts';
import { say } from '../say.ts';
import { callFunction, parseCall } from './adminCommands.ts';
import { findStudio, type Studio, signIn } from './adminSession.ts';
import { findUser, googleHosts, type Hosts, postAsCaller } from './identityToolkit.ts';

const usage = `npm run admin -- --project PROJECT COMMAND     without --project in the local run of npm start
  find TEXT                  accounts by exact e-mail address, uid or generation id, which is the support code
  show UID                   one account with its entries, generations and purchases
  grant UID AMOUNT REASON    --generation ID: a goodwill refund of this image; --key KEY: repeats a grant
  suspend UID REASON         suspends the person behind the account
  restore UID REASON
  overview                   sums of the last 24 hours; --from TIME and --to TIME (RFC 3339)
  make-admin EMAIL           --revoke: takes it back, and ends the sessions of the user
Options: --email EMAIL, the admin that you are, by default the account of gcloud; --url URL, the address of the studio.
A negative amount comes after --: npm run admin -- --project PROJECT -- grant UID -5 REASON`;

export type AdminChange = { project: string; email: string; revoke: boolean };

/**
 * Sets the claim, or removes it and ends the user's sessions.
 * @param token an access token of a person who may change the project's users.
 * @returns the user's uid.
 * @throws {Error} if there is no such user, or Google refuses the change.
 */
export async function changeAdmin(
  { project, email, revoke }: AdminChange,
  token: string,
  identityToolkit = googleHosts.identityToolkit,
): Promise<string> {
  const caller = { project, token };
  const user = await findUser(email, caller, { ...googleHosts, identityToolkit });
  const { admin: _, ...others } = JSON.parse(user.customAttributes ?? '{}') as Record<string, unknown>;
  const claims = revoke ? others : { ...others, admin: true };
  // Sign-ins before `validSince`, in seconds since 1970, are no longer valid.
  const validSince = revoke && { validSince: String(Math.floor(Date.now() / 1000)) };
  const change = { localId: user.localId, customAttributes: JSON.stringify(claims), ...validSince };
  await postAsCaller(`${identityToolkit}/v1/projects/${project}/accounts:update`, change, caller);
  return user.localId;
}

/** The output of gcloud, without its line break. */
export type Gcloud = (...args: string[]) => Promise<string>;

/**
 * Runs a command.
 * @returns what to print.
 * @throws {Error} with what is wrong.
 */
export async function runAdmin(
  args: string[],
  { gcloud, hosts, localUrl }: { gcloud: Gcloud; hosts: Hosts; localUrl: string },
): Promise<string> {
  const text = { type: 'string' } as const;
  const names = { project: text, email: text, url: text, key: text, generation: text, from: text, to: text };
  const options = { ...names, revoke: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseWords(usage, () =>
    parseArgs({ args, allowPositionals: true, options }),
  );
  const { project, email, revoke = false, help } = values;
  if (help) return usage;
  const url = (values.url ?? (project ? `https://${project}.web.app` : localUrl)).replace(/\/+$/, '');
  const isClaim = positionals.length === 0 ? Boolean(project && email) : positionals[0] === 'make-admin';
  const call = parseCall(positionals, values, new Date());
  const [, named = email] = positionals;
  if (isClaim && named) {
    const access = project
      ? { project, token: await gcloud('auth', 'print-access-token'), host: hosts.identityToolkit }
      : await openLocal(url);
    const uid = await changeAdmin(
      { project: access.project, email: named, revoke },
      access.token,
      access.host,
    );
    return revoke
      ? `${named} (${uid}) is no longer an admin, and signed out everywhere.`
      : `${named} (${uid}) is an admin, starting with the next token. Sign in again to get it at once.`;
  }
  if (!call) {
    const wrong =
      positionals.length > 0 && `"${positionals.join(' ')}" is not a command, or a word of it is missing.`;
    throw new Error(wrong ? `${wrong}\n\n${usage}` : usage);
  }
  const studio = await findStudio(url);
  if (project && studio.projectId !== project)
    throw new Error(`The studio at ${url} belongs to the project ${studio.projectId}.`);
  const answer = await callFunction(call, { url, token: await createToken(studio) });
  return JSON.stringify(answer, null, 2);

  async function createToken(found: Studio): Promise<string> {
    if (found.emulators) return 'owner';
    const account = email ?? (await gcloud('config', 'get-value', 'account'));
    return signIn(found, account, await gcloud('auth', 'print-access-token'), hosts);
  }
}

/** The users of a local run, which take `owner` as an access token. */
async function openLocal(url: string) {
  const { projectId: project, emulators } = await findStudio(url);
  if (!emulators) throw new Error(`The studio at ${url} is not a local run. Pass --project.`);
  const { host, port } = emulators.auth;
  return { project, token: 'owner', host: `http://${host}:${port}/identitytoolkit.googleapis.com` };
}

if (import.meta.main) {
  const gcloud: Gcloud = async (...args) => (await promisify(execFile)('gcloud', args)).stdout.trim();
  const localUrl = `http://127.0.0.1:${process.env.PORT ?? 8080}`;
  await runAdmin(process.argv.slice(2), { gcloud, hosts: googleHosts, localUrl }).then(say, (error) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  });
}
