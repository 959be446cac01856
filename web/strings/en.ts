/**
 * Every string of the page, in English. Another language is another object of this shape. What needs a number, a date
 * or a plural is a function.
 */
import { account, closing, terms } from './en/account.ts';
import { common, header, shortcuts } from './en/common.ts';
import { composer, improve, references } from './en/composer.ts';
import { buying, credits, payments } from './en/credits.ts';
import { failures } from './en/failures.ts';
import { gallery, making } from './en/gallery.ts';
import { signIn, verification } from './en/signIn.ts';
import { deleting, report } from './en/viewer.ts';

export const text = {
  account,
  buying,
  closing,
  common,
  composer,
  credits,
  deleting,
  failures,
  gallery,
  header,
  improve,
  making,
  payments,
  references,
  report,
  shortcuts,
  signIn,
  terms,
  verification,
};
