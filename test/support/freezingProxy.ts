/** A proxy that can hold everything back on the connections that are open, and on no later one. */
import net, { type AddressInfo } from 'node:net';

/** @param host `host:port` behind the proxy. */
export async function startFreezingProxy(host: string) {
  const [hostname, port] = host.split(':');
  const pairs: { near: net.Socket; far: net.Socket }[] = [];
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    pairs.push({ near, far });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const each = (act: (socket: net.Socket) => void) => {
    for (const { near, far } of pairs) [near, far].forEach(act);
  };
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => pairs.length,
    freeze: () => each((socket) => void socket.pause()),
    close() {
      each((socket) => void socket.destroy());
      server.close();
    },
  };
}
