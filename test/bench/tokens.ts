/** Firebase ID tokens with real RS256 signatures, and a server for Google's public keys that verify them. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { loopback } from '../../local/ports.ts';

const kid = 'bench';
const host = 'www.googleapis.com';

/**
 * Makes a key and its certificate with openssl and serves them as Google does: as JWKS for our functions, as
 * X.509 for firebase-admin. The measured servers must trust `caFile`.
 */
export async function startTokens(runDir: string) {
  const [keyFile, caFile] = [join(runDir, 'key.pem'), join(runDir, 'certificate.pem')];
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const options = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', caFile, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...options, ...subject], { stdio: 'ignore' });
  const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(caFile, 'utf8')];
  const privateKey = createPrivateKey(key);
  const jwk = { ...createPublicKey(cert).export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };

  const server = createServer({ key, cert }, (request, response) => {
    const body = request.url?.includes('x509') ? { [kid]: cert } : { keys: [jwk] };
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=20000' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, loopback, done));

  return {
    caFile,
    port: (server.address() as AddressInfo).port,
    /** A token of a signed-in user with a verified e-mail. */
    token(projectId: string, uid: string): Promise<string> {
      const now = Math.floor(Date.now() / 1000);
      const firebase = { sign_in_provider: 'password', identities: {} };
      return new SignJWT({ auth_time: now, email: `${uid}@example.com`, email_verified: true, firebase })
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
        .setIssuer(`https://securetoken.google.com/${projectId}`)
        .setAudience(projectId)
        .setSubject(uid)
        .setIssuedAt(now)
        .setExpirationTime(now + 86_400)
        .sign(privateKey);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type Tokens = Awaited<ReturnType<typeof startTokens>>;
