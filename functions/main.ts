/** The start of a deployed function: FUNCTION_TARGET says which, PORT where. */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The build ships what it compiled. It counts only for the same Node, processor and user; else nothing is lost.
const directory = join(import.meta.dirname, 'compile-cache');
if (existsSync(directory)) enableCompileCache({ directory, portable: true });

// Imported after it, or they would be compiled anew.
const [{ serve }, { functions }] = await Promise.all([
  import('../shared/http/server.ts'),
  import('./index.ts'),
]);
serve({ functions });
