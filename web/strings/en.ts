/**
 * Every string of the page, in English. Another language is another object of this shape. What needs a number, a date
 * or a plural is a function. Views that are loaded later import their strings from `en/`.
 */

import { composer, improve, references } from './en/composer.ts';
import { failures } from './en/failures.ts';
import { gallery, making } from './en/gallery.ts';
import { header, shortcuts } from './en/header.ts';
import { payments } from './en/payments.ts';
import { deleting, report } from './en/viewer.ts';
import { firstText } from './first.ts';

export const text = {
  ...firstText,
  composer,
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
};
