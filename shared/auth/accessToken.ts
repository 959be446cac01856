import * as z from 'zod';

/** Longest wait for the token, milliseconds. */
const tokenMsMax = 5_000;
const metadataTokenUrl =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';
const accessTokenSchema = z.object({ access_token: z.string() });

/** An access token of this function's service account, from Cloud Run's metadata server. */
export async function fetchAccessToken(): Promise<string> {
  const response = await fetch(metadataTokenUrl, {
    headers: { 'metadata-flavor': 'Google' },
    signal: AbortSignal.timeout(tokenMsMax),
  });
  if (!response.ok) throw new Error(`The metadata server answered ${response.status}`);
  return accessTokenSchema.parse(await response.json()).access_token;
}
