/** Has a server listen on a free port of this machine, for tests that start their own servers. */
import type { AddressInfo, Server } from 'node:net';
import { loopback } from '../../local/ports.ts';

/** Returns the address, as `127.0.0.1:{port}`. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  return `${loopback}:${(server.address() as AddressInfo).port}`;
}
