/** Starts a deployed function: FUNCTION_TARGET names it, and PORT is where it listens. */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The build ships compiled code. Node uses it only on the same version, processor and user; otherwise it compiles again.
const directory = join(import.meta.dirname, 'compile-cache');
if (existsSync(directory)) enableCompileCache({ directory, portable: true });

// Imported afterwards: earlier imports would not use the cache.
const [{ serve }, { functions }] = await Promise.all([
  import('../shared/http/server.ts'),
  import('./index.ts'),
]);
serve({ functions });
