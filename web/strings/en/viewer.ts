/** Deleting an image, the report of a shared one, and its removal by the studio. */
import type { ReportReason } from '../../../shared/contract.ts';

/** Why an image is reported or was removed. An admin may also give a reason in words. */
const removalReasons: Record<ReportReason, string> = {
  illegal: 'It is illegal',
  sexual: 'It is sexual',
  violence: 'It shows violence',
  personal: 'It shows a person who did not agree',
  copyright: 'It violates a copyright',
  other: 'Something else',
};

export const deleting = {
  title: 'Delete this image?',
  consequence: 'The image and its prompt are deleted permanently. Its credits are not refunded.',
  keep: 'Keep it',
  confirm: 'Delete image',
  done: 'Image deleted.',
};

export const report = {
  removed: (reason: string) => `The studio removed this image. Reason: ${reason}.`,
  removalReasons,
  title: 'Report an image',
  what: 'What is wrong with it?',
  details: 'Details (optional)',
  send: 'Send report',
  thanks: 'Thank you. We will look at the image.',
};
