/** The users of a local run. `npm start` creates them, and the page signs them in with one click. */
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
