/** The strings of the account dialog, which loads them. */
import { account, closing } from './en/account.ts';
import { firstText } from './first.ts';

export const accountText = { ...firstText, account, closing };
