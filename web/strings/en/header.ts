/** The header, and the keyboard. */
export const header = {
  skip: 'Skip to content',
  main: 'Main',
  create: 'Create',
  credits: 'Credits',
  image: 'Image',
  windowTitle: (view: string, studio: string) => `${view} · ${studio}`,
  balanceUnknown: '… credits',
  buyHint: ', buy credits',
  suspended: 'This account is suspended, so it cannot generate images. Please contact support.',
  accountClosed: 'This account is closed.',
  desk: 'Owner’s desk',
  deskRefused: 'Only admins can open the owner’s desk.',
  account: 'Account',
  yourAccount: 'Your account',
  signOut: 'Sign out',
  offline: 'You are offline. What you have started goes on when you are back.',
  notLoaded: 'A part of the studio could not be loaded. What you have written is kept.',
  reload: 'Load again',
  making: (count: number) => `(${count}) making · Studio`,
};

export const shortcuts = { title: 'Keyboard shortcuts' };
