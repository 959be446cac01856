/** An admin's session from a terminal: where the studio is, and a token for its functions. */
import { z } from 'zod';
import { findUser, type Hosts, postAsCaller } from './identityToolkit.ts';
import { toAccountName } from './manifest.ts';
import { toAccountEmail } from './planProject.ts';

/** What Firebase Hosting, and a local run, say of a studio. */
const studioSchema = z.object({
  projectId: z.string(),
  apiKey: z.string(),
  emulators: z.object({ auth: z.object({ host: z.string(), port: z.number() }) }).optional(),
});
export type Studio = z.infer<typeof studioSchema> & { url: string };

/** @throws {Error} if no studio answers there. */
export async function findStudio(url: string): Promise<Studio> {
  const response = await fetch(`${url}/__/firebase/init.json`).catch(() => undefined);
  if (!response?.ok) throw new Error(`No studio answers at ${url}. For a local one, run npm start.`);
  return { ...studioSchema.parse(await response.json()), url };
}

/**
 * The signing account: it has no role, because the signature is all that is needed. Whoever has the role
 * roles/iam.serviceAccountTokenCreator on it can sign in as any user.
 */
const signer = toAccountName('health');
const audience = 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit';

/**
 * Signs in as a user, who should be an admin: with a custom token, signed by Google for the caller of gcloud.
 * https://firebase.google.com/docs/auth/admin/create-custom-tokens
 * @returns an ID token for an hour.
 */
export async function signIn(
  { projectId: project, apiKey }: Studio,
  email: string,
  accessToken: string,
  hosts: Hosts,
): Promise<string> {
  const caller = { project, token: accessToken };
  const { localId: uid } = await findUser(email, caller, hosts);
  const account = toAccountEmail(signer, project);
  const iat = Math.floor(Date.now() / 1000);
  const payload = JSON.stringify({ iss: account, sub: account, aud: audience, iat, exp: iat + 300, uid });
  const signUrl = `${hosts.iamCredentials}/v1/projects/-/serviceAccounts/${account}:signJwt`;
  const { signedJwt: token } = z
    .object({ signedJwt: z.string() })
    .parse(await postAsCaller(signUrl, { payload }, caller));
  const signInUrl = `${hosts.identityToolkit}/v1/accounts:signInWithCustomToken?key=${apiKey}`;
  const response = await fetch(signInUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, returnSecureToken: true }),
  });
  if (!response.ok) throw new Error(`The sign-in answered ${response.status}: ${await response.text()}`);
  return z.object({ idToken: z.string() }).parse(await response.json()).idToken;
}
