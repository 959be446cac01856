/** One image: the viewer with its actions, and sharing. */
import type { Image } from '../../../shared/contract.ts';
import { countOf, number } from '../format.ts';

const formatNames: Record<Image['mimeType'], string> = {
  'image/png': 'PNG',
  'image/jpeg': 'JPEG',
  'image/webp': 'WebP',
};

/** Characters of a prompt that name an image. */
const spokenMax = 120;

export const viewer = {
  title: 'Image',
  previous: 'Previous image',
  next: 'Next image',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  fit: 'Fit',
  isFitted: 'Fit. The whole image is shown',
  /** @param scale the size now, as percent of the size at which the whole image is seen */
  fitAgain: (scale: string) => `${scale}. Show the whole image`,
  scaleHint: 'Percentages are of the size that fits the window',
  /** @param position 0 if it is not known. @param count undefined if there may be more */
  place(prompt: string, position: number, count: number | undefined) {
    const words = prompt.length > spokenMax ? `${prompt.slice(0, spokenMax)}…` : prompt;
    const of = count === undefined ? '' : ` of ${number(count)}`;
    return `Image${position > 0 ? ` ${number(position)}${of}` : ''}: ${words}`;
  },
  compare: 'Compare with the image before',
  comparison: 'Line between before and after',
  before: 'Before',
  after: 'After',
  beforeAlt: 'The image before the edit',
  deleted: 'This image was deleted.',
  pending: 'This image is still being made.',
  notCreated: 'This image was not created.',
  versions: 'Versions',
  samePrompt: 'Same prompt',
  openVersion: (position: number, prompt: string) => `Image ${number(position)}: ${prompt}`,
  making: (prompt: string) => `Being made: ${prompt}`,
  notMade: (prompt: string) => `Not made: ${prompt}`,
  prompt: 'Prompt',
  improvedPrompt: 'Improved prompt',
  ownPrompt: 'Your own prompt',
  copyPrompt: 'Copy prompt',
  promptCopied: 'Prompt copied.',
  showAll: 'Show all',
  showLess: 'Show less',
  change: 'Change this image',
  changeExample: 'Change this image: “at night, with snow”',
  edit: 'Edit',
  editStarted: 'Your edit is being made. This image stays as it is.',
  editReady: 'Your edit is ready. It is under the image.',
  makingEdits: (count: number) => (count === 1 ? 'Making your edit …' : `Making ${number(count)} edits …`),
  makeMore: 'Make more',
  again: 'Again',
  againStarted: 'Another image is being made.',
  makingMore: (count: number) =>
    count === 1 ? 'Making another image …' : `Making ${number(count)} more images …`,
  cannotRepeat: 'An image that this one was made from is deleted, so it cannot be made again.',
  uploadsNotKept: (count: number) =>
    `“Again” leaves out ${countOf(count, 'reference')} that you uploaded: uploads are not kept.`,
  otherResolution: (from: string, to: string) => `${from} is not on offer now. New images have ${to}.`,
  save: 'Save',
  formats: 'Other formats',
  formatName: (type: Image['mimeType']) => formatNames[type],
  original: (format: string, size: string) => `Original ${format} · ${size}`,
  credentialsInOriginal: 'Only the original has the content credentials.',
  copyImage: 'Copy image',
  details: 'Details',
  model: 'Model',
  cost: 'Cost',
  refunded: 'Refunded',
  cached: 'Free, from the cache',
  file: 'File',
  created: 'Created',
  contentCredentials: 'with content credentials',
  uploads: (count: number) => `${countOf(count, 'image')} that you uploaded, not kept`,
  reduced: (count: number) =>
    count === 1
      ? 'The model got a smaller version of one image, which was too large to send.'
      : `The model got smaller versions of ${count} images, which were too large to send.`,
  delete: 'Delete',
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
  inNewTab: '(opens a new tab)',
  canSee: ' can see the image, but not its prompt.',
};
