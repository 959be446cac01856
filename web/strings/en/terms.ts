/** The question before the first image. */
export const terms = {
  title: 'Before you start',
  readAndAccept: 'Please read and accept the ',
  terms: 'terms',
  the: ' The ',
  privacy: 'privacy policy',
  saysWhatWeKeep: ' says what we keep about you.',
  age: 'By accepting, you confirm that you are 18 or older.',
  notNow: 'Not now',
  accept: 'Accept and continue',
};
