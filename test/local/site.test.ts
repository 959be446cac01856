/** The page gets addresses of the emulators that a browser can connect to, and may connect to them. */
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSite } from '../../local/site.ts';
import { listen } from '../support/listen.ts';

async function serveSite(authHost: string, firestoreHost: string) {
  const site = await createSite({ webDir: 'web', projectId: 'demo-site', authHost, firestoreHost });
  const server = createServer((request, response) => void site(request, response));
  onTestFinished(() => void server.close());
  const host = await listen(server);
  const init = await (await fetch(`http://${host}/__/firebase/init.json`)).json();
  const page = await fetch(`http://${host}/studio`);
  return {
    emulators: (init as { emulators: unknown }).emulators,
    policy: page.headers.get('content-security-policy'),
  };
}

describe('the emulators that the environment names', () => {
  it('are in init.json, and in the policy of the page', async () => {
    const { emulators, policy } = await serveSite('localhost:9099', '10.0.0.7:8085');
    expect(emulators).toEqual({
      auth: { host: 'localhost', port: 9099 },
      firestore: { host: '10.0.0.7', port: 8085 },
    });
    expect(policy).toMatch(/connect-src [^;]* http:\/\/10\.0\.0\.7:8085/);
  });

  it('are on this machine if they listen on all of its addresses', async () => {
    const { emulators } = await serveSite('0.0.0.0:9099', '[::]:8085');
    expect(emulators).toEqual({
      auth: { host: '127.0.0.1', port: 9099 },
      firestore: { host: '127.0.0.1', port: 8085 },
    });
  });
});
