/** The names of the shapes. */
import type { Tier } from '../../../shared/contract.ts';

/** The shape that each tier has, named for what it is. */
export const shapes: Record<Tier, { name: string; landscape: string; portrait: string }> = {
  standard: { name: 'Square', landscape: '1:1', portrait: '1:1' },
  premium2: { name: 'Photo', landscape: '3:2', portrait: '2:3' },
  premium4: { name: 'Wide', landscape: '16:9', portrait: '9:16' },
};
