/** The strings that are needed until the sign-in: the page loads the others later, with the studio. */
import { common } from './en/common.ts';
import { signIn } from './en/signIn.ts';

export const firstText = { common, signIn };
