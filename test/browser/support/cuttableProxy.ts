/** A TCP proxy that can cut connections. Playwright's `setOffline` is not enough: it keeps open connections alive. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { loopback } from '../../../local/ports.ts';

/** Forwards `url` to the studio. `cut` closes all connections and refuses new ones until `restore`. */
export async function startCuttableProxy(studioUrl: string) {
  const port = Number(new URL(studioUrl).port);
  const sockets = new Set<Socket>();
  let isCut = false;

  const server = createServer((browser) => {
    if (isCut) {
      browser.destroy();
      return;
    }
    const studio = connect(port, loopback);
    for (const [socket, other] of [
      [browser, studio],
      [studio, browser],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
    }
    browser.pipe(studio).pipe(browser);
  });
  await new Promise<void>((listening) => server.listen(0, loopback, listening));

  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    cut,
    restore(): void {
      isCut = false;
    },
    async close(): Promise<void> {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
}
