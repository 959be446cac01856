/** The emulator is on this machine or in its network: a proxy that the environment names is for the internet. */
import { afterEach, expect, it, vi } from 'vitest';
import { parseConfig } from '../../../shared/config/config.ts';
import { createDatabase } from '../../../shared/database/firestore.ts';
import { startGrpcServer } from '../../support/grpcServer.ts';

afterEach(() => vi.unstubAllEnvs());

it.each(['http_proxy', 'https_proxy', 'grpc_proxy'])('%s is not used', async (name) => {
  for (const exception of ['no_proxy', 'no_grpc_proxy']) vi.stubEnv(exception, undefined);
  // Nobody listens there.
  vi.stubEnv(name, 'http://127.0.0.1:9');
  // A WriteResult, and the commit's time.
  const server = await startGrpcServer({ message: () => Buffer.from([0x0a, 2, 0x0a, 0, 0x12, 0]) });
  const env = { GOOGLE_CLOUD_PROJECT: 'demo-proxy', FIRESTORE_EMULATOR_HOST: server.host };
  const database = createDatabase(parseConfig(env));
  try {
    await database.commit([{ delete: 'a/b' }]);
    expect(server.calls()).toBe(1);
  } finally {
    await database.close();
    server.close();
  }
});
