/** The package has types, but does not name them. */
declare module 'mailchecker' {
  const MailChecker: { blacklist(): ReadonlySet<string> };
  export default MailChecker;
}
