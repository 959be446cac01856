/** A project's users at Google, over REST. */
import { z } from 'zod';

const userSchema = z.object({ localId: z.string(), customAttributes: z.string().optional() });
export type FoundUser = z.infer<typeof userSchema>;

/** Where Google's services are. A local run and tests have others. */
export type Hosts = { identityToolkit: string; iamCredentials: string };
export const googleHosts: Hosts = {
  identityToolkit: 'https://identitytoolkit.googleapis.com',
  iamCredentials: 'https://iamcredentials.googleapis.com',
};

/** Posts JSON, as the caller with this access token. @throws {Error} with the answer if Google refuses. */
export async function postAsCaller(
  url: string,
  body: object,
  caller: { project: string; token: string },
): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${caller.token}`,
      'content-type': 'application/json',
      // The project whose quota is used, because a person's credentials belong to no project.
      'x-goog-user-project': caller.project,
    },
    body: JSON.stringify(body),
  });
  if (response.ok) return response.json();
  throw new Error(`${new URL(url).pathname} answered ${response.status}: ${await response.text()}`);
}

/**
 * @param token an access token of a person who may see the project's users.
 * @throws {Error} if nobody has signed in with this address.
 */
export async function findUser(
  email: string,
  caller: { project: string; token: string },
  { identityToolkit }: Hosts,
): Promise<FoundUser> {
  const url = `${identityToolkit}/v1/projects/${caller.project}/accounts:lookup`;
  const answer = await postAsCaller(url, { email: [email] }, caller);
  const [user] = z.object({ users: z.array(userSchema).default([]) }).parse(answer).users;
  if (user) return user;
  throw new Error(`No user has signed in as ${email} yet`);
}
