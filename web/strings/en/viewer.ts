/** One image: its facts and actions, sharing, deleting, and the report of a shared one. */
import type { Image, ReportReason } from '../../../shared/contract.ts';
import { countOf, number } from '../format.ts';

/** Why an image is reported or was removed. An admin may also give a reason in words. */
const removalReasons: Record<ReportReason, string> = {
  illegal: 'It is illegal',
  sexual: 'It is sexual',
  violence: 'It shows violence',
  personal: 'It shows a person who did not agree',
  copyright: 'It violates a copyright',
  other: 'Something else',
};

const formatNames: Record<Image['mimeType'], string> = {
  'image/png': 'PNG',
  'image/jpeg': 'JPEG',
  'image/webp': 'WebP',
};

export const viewer = {
  title: 'Image',
  previous: 'Previous image',
  next: 'Next image',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  /** @param scale the size now, as percent of the size at which the whole image is seen */
  fit: (scale: string) => `${scale}. Show the whole image`,
  compare: 'Compare with the image before',
  comparison: 'Line between before and after',
  before: 'Before',
  after: 'After',
  beforeAlt: 'The image before the edit',
  deleted: 'This image was deleted.',
  pending: 'This image is still being made.',
  notCreated: 'This image was not created.',
  removed: (reason: string) => `The studio removed this image. Reason: ${reason}.`,
  removalReasons,
  versions: 'Versions',
  samePrompt: 'Same prompt',
  openVersion: (position: number, prompt: string) => `Image ${number(position)}: ${prompt}`,
  making: (prompt: string) => `Being made: ${prompt}`,
  prompt: 'Prompt',
  improvedPrompt: 'Improved prompt',
  ownPrompt: 'Your own prompt',
  copyPrompt: 'Copy prompt',
  promptCopied: 'Prompt copied.',
  change: 'Change this image',
  changeExample: 'Change this image: “at night, with snow”',
  edit: 'Edit',
  editStarted: 'Your edit is being made. This image stays as it is.',
  editReady: 'Your edit is ready. It is under the image.',
  makeMore: 'Make more',
  again: 'Again',
  againStarted: 'Another image is being made.',
  cannotRepeat: 'An image that this one was made from is deleted, so it cannot be made again.',
  uploadsNotKept: (count: number) =>
    `“Again” leaves out ${countOf(count, 'reference')} that you uploaded: uploads are not kept.`,
  otherResolution: (from: string, to: string) => `${from} is not on offer now. New images have ${to}.`,
  reuse: 'Reuse prompt',
  useAsReference: 'Use as reference',
  save: 'Save',
  download: 'Download',
  formats: 'Other formats',
  formatName: (type: Image['mimeType']) => formatNames[type],
  original: (format: string, size: string) => `Original ${format} · ${size}`,
  credentialsInOriginal: 'Only the original has the content credentials.',
  copyImage: 'Copy image',
  imageCopied: 'Image copied.',
  details: 'Details',
  model: 'Model',
  cost: 'Cost',
  refunded: 'Refunded',
  cached: 'Free, from the cache',
  file: 'File',
  created: 'Created',
  contentCredentials: 'with content credentials',
  uploads: (count: number) => `${countOf(count, 'image')} that you uploaded, not kept`,
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
  title: 'Share',
  share: 'Share',
  onlyYou: 'Only you can see this image. Sharing makes a public page for it, without its prompt.',
  passOn: 'Share link …',
  makePrivate: 'Make private',
  copyPublicLink: 'Copy link',
  publicLinkCopied: 'Link copied.',
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
