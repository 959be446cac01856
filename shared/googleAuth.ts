/** Imported lazily by its name: of a package that is imported so, the bundle's split loses the class. */
export { GoogleAuth } from 'google-auth-library';
