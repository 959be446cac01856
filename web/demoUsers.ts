/** The users of the local run, whom `npm start` creates and the page signs in with one click. */
export const demoPassword = 'nano-banana';

export const demoUsers = [
  { uid: 'demo-user', email: 'demo@example.com', displayName: 'Demo', label: 'the demo user', claims: {} },
  {
    uid: 'demo-admin',
    email: 'admin@example.com',
    displayName: 'Admin',
    label: 'the admin',
    claims: { admin: true },
  },
] as const;
