/** One image: its facts and actions, sharing, deleting, and the report of a shared one. */
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

export const viewer = {
  title: 'Image',
  previous: 'Previous image',
  next: 'Next image',
  deleted: 'This image was deleted.',
  pending: 'This image is still being made.',
  notCreated: 'This image was not created.',
  removed: (reason: string) => `The studio removed this image. Reason: ${reason}.`,
  removalReasons,
  prompt: 'Prompt',
  improvedPrompt: 'Improved prompt',
  ownPrompt: 'Your own prompt',
  contentCredentials: 'content credentials',
  cached: 'from the cache',
  madeBy: (model: string) => `(${model})`,
  download: 'Download',
  copyLink: 'Copy link',
  linkCopied: 'Link copied.',
  reuse: 'Reuse prompt',
  vary: 'Vary',
  varied: 'A variation is being made.',
  useAsReference: 'Use as reference',
  delete: 'Delete',
};

export const deleting = {
  title: 'Delete this image?',
  consequence: 'The image and its prompt are deleted permanently. Its credits are not refunded.',
  keep: 'Keep it',
  confirm: 'Delete image',
  done: 'Image deleted.',
};

export const sharing = {
  title: 'Sharing',
  share: 'Share',
  makePrivate: 'Make private',
  copyPublicLink: 'Copy public link',
  publicLinkCopied: 'Public link copied.',
  isPublic: 'Anyone with the link can see this image now.',
  isPrivate: 'The image is private again.',
  anyoneWith: 'Anyone with ',
  thisLink: 'this link',
  canSee: ' can see the image, but not its prompt.',
};

export const report = {
  title: 'Report an image',
  what: 'What is wrong with it?',
  details: 'Details (optional)',
  send: 'Send report',
  thanks: 'Thank you. We will look at the image.',
};
