/** The page's security headers, for the local run and for Firebase Hosting: what it may load, and from where. */

/** Firebase Authentication, Firestore and Cloudinary. Google's sign-in needs a script and a frame. */
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

/** @param extraOrigins the origins of the emulators and fakes of a local run. */
function createContentSecurityPolicy(extraOrigins: readonly string[] = []): string {
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...productionOrigins.script],
    'style-src': ["'self'"],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
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

/** The headers of the page and its files. They let a sign-in popup communicate with the page that opened it. */
export function pageHeaders(extraOrigins: readonly string[] = []): Record<string, string> {
  return {
    'Content-Security-Policy': createContentSecurityPolicy(extraOrigins),
    'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}
