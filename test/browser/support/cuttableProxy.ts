/** The line between a browser and the studio, which can be cut. A browser told to be offline keeps what it has open. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { loopback } from '../../../local/ports.ts';

/** A line to the studio at this address. Whoever opens the page at `url` is cut off by `cut`, until `mend`. */
export async function startCuttableProxy(studioUrl: string) {
  const port = Number(new URL(studioUrl).port);
  const ends = new Set<Socket>();
  let isCut = false;

  const server = createServer((browser) => {
    if (isCut) {
      browser.destroy();
      return;
    }
    const studio = connect(port, loopback);
    for (const [end, other] of [
      [browser, studio],
      [studio, browser],
    ] as const) {
      ends.add(end);
      end
        .on('error', () => {})
        .on('close', () => {
          ends.delete(end);
          other.destroy();
        });
    }
    browser.pipe(studio).pipe(browser);
  });
  await new Promise<void>((listening) => server.listen(0, loopback, listening));

  const cut = () => {
    isCut = true;
    for (const end of ends) end.destroy();
  };
  return {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    cut,
    restore(): void {
      isCut = false;
    },
    async end(): Promise<void> {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
}
