import { usePageState } from '../state/pageState.ts';

/** The address of support, if the studio has one. */
export function ContactSupport() {
  const { supportEmail } = usePageState().account;
  const address = supportEmail.value;
  return address ? <a href={`mailto:${address}`}>{address}</a> : null;
}
