import type { z } from 'zod';
import type { Account } from './account.ts';

export type Route = {
  method: 'GET' | 'POST' | 'DELETE';
  /** `:id` stands for an id. */
  path: string;
  /** What a restricted key needs, without `rak_` before it. */
  permission: string;
  params: z.ZodType;
  run: (account: Account, params: never, id: string) => object;
};

/** A route of which `run` gets the parsed parameters, and the id in the path. */
export const route = <T extends z.ZodType>(
  [method, path]: [Route['method'], string],
  permission: string,
  params: T,
  run: (account: Account, params: z.infer<T>, id: string) => object,
): Route => ({ method, path, permission, params, run });

export function findRoute(routes: readonly Route[], method: string, path: string) {
  const parts = path.split('/');
  for (const candidate of routes) {
    const pattern = candidate.path.split('/');
    const isMatch = pattern.every((part, index) => part === parts[index] || (part === ':id' && parts[index]));
    if (candidate.method === method && pattern.length === parts.length && isMatch) {
      return { route: candidate, id: decodeURIComponent(parts[pattern.indexOf(':id')] ?? '') };
    }
  }
  return undefined;
}
