/** What the studio's page may load and whom it may ask: its headers, here and on Firebase Hosting. */

/** Where Firebase Authentication, Firestore and Cloudinary are; Google's sign-in brings a script and a frame. */
const productionOrigins = {
  script: ['https://apis.google.com'],
  image: ['https://*.cloudinary.com'],
  connect: [
    'https://identitytoolkit.googleapis.com',
    'https://securetoken.googleapis.com',
    'https://firestore.googleapis.com',
    'https://*.cloudinary.com',
  ],
  frame: ['https://*.firebaseapp.com'],
};

/** @param extra further origins: those of the emulators and stand-ins of a local run. */
function createContentSecurityPolicy(extraOrigins: readonly string[] = []): string {
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...productionOrigins.script],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'data:', 'blob:', ...productionOrigins.image, ...extraOrigins],
    'connect-src': ["'self'", ...productionOrigins.connect, ...extraOrigins],
    'frame-src': [...productionOrigins.frame, ...extraOrigins],
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}

/** The headers of the page and its files. Sign-in windows stay connected to the page that opened them. */
export function pageHeaders(extraOrigins: readonly string[] = []): Record<string, string> {
  return {
    'Content-Security-Policy': createContentSecurityPolicy(extraOrigins),
    'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}
