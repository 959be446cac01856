/** The form of a mutant, and rules that its pattern is built from. */
import type { Rule } from '@ast-grep/napi';

export type Mutant = {
  name: string;
  /** The folder or file in which the pattern matches exactly once. */
  place: string;
  find: string | Rule;
  /** The code that replaces the match; empty: the match is removed. */
  replace: string;
  /** The file of the unit test that fails, for a mistake that histories cannot see. */
  killedBy?: string;
};

/** The mistakes in one place, by name. */
export type Mutants = Record<string, Omit<Mutant, 'name' | 'place'>>;

/** An object literal with these properties. */
export const object = (properties: string): Rule => ({
  pattern: { context: `({ ${properties} })`, selector: 'object' },
});
/** One property of an object literal. */
export const property = (code: string): Rule => ({ pattern: { context: `({ ${code} })`, selector: 'pair' } });
/** A rule about anything around a node, or anything within it. */
export const anywhere = (rule: Rule): Rule & { stopBy: 'end' } => ({ ...rule, stopBy: 'end' });
