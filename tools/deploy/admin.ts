/**
 * `npm run admin`: makes a user of a deployed studio an admin, or revokes it, with the custom claim `admin`. Other
 * claims stay. A new admin needs a new token: the next one, within an hour. A revoked admin is refused at once, and
 * every session of the user ends.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';

const usage = 'npm run admin -- --project PROJECT --email EMAIL [--revoke]';

const usersSchema = z.object({
  users: z.array(z.object({ localId: z.string(), customAttributes: z.string().optional() })).optional(),
});

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
  base = 'https://identitytoolkit.googleapis.com',
): Promise<string> {
  async function ask(action: string, body: object): Promise<unknown> {
    const response = await fetch(`${base}/v1/projects/${project}/accounts:${action}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        // The project whose quota is used, because a person's credentials belong to no project.
        'x-goog-user-project': project,
      },
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`accounts:${action} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  const { users = [] } = usersSchema.parse(await ask('lookup', { email: [email] }));
  const [user] = users;
  if (!user) throw new Error(`No user has signed in as ${email} yet`);
  const { admin: _, ...others } = JSON.parse(user.customAttributes ?? '{}') as Record<string, unknown>;
  const claims = revoke ? others : { ...others, admin: true };
  // Sign-ins before `validSince`, in seconds since 1970, are no longer valid.
  const validSince = revoke && { validSince: String(Math.floor(Date.now() / 1000)) };
  await ask('update', { localId: user.localId, customAttributes: JSON.stringify(claims), ...validSince });
  return user.localId;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { project: text, email: text, revoke: { type: 'boolean' } } });
  const { project, email, revoke = false } = values;
  if (!project || !email) throw new Error(usage);
  const { stdout } = await promisify(execFile)('gcloud', ['auth', 'print-access-token']);
  const uid = await changeAdmin({ project, email, revoke }, stdout.trim());
  process.stdout.write(
    revoke
      ? `${email} (${uid}) is no longer an admin, and signed out everywhere.\n`
      : `${email} (${uid}) is an admin, starting with the next token. Sign in again to get it at once.\n`,
  );
}

if (import.meta.main) {
  await main().catch((error) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  });
}
