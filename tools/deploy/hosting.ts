/** firebase.json: what the Firebase CLI deploys, made of the manifest and of the page's headers. */
import { pageHeaders } from '../../web/securityPolicy.ts';
import { manifest, toServiceName } from './manifest.ts';

/** The region of the firebase.json in the repository. The deploy writes its own, for its region, into dist/. */
export const defaultRegion = 'us-central1';

const longLived = 'public, max-age=31536000, immutable';
const header = (key: string, value: string) => ({ key, value });

/** @param publicDir where the built page is, seen from the file. */
export function createFirebaseConfig({ region, publicDir }: { region: string; publicDir: string }) {
  return {
    firestore: { rules: 'firestore.rules', indexes: 'firestore.indexes.json' },
    hosting: {
      public: publicDir,
      cleanUrls: true,
      trailingSlash: false,
      redirects: [{ source: '/', destination: '/studio', type: 302 }],
      rewrites: Object.entries(manifest).flatMap(([target, { trigger }]) =>
        trigger.kind === 'http'
          ? [{ source: `/${target}`, run: { serviceId: toServiceName(target), region } }]
          : [],
      ),
      headers: [
        {
          source: '/@(studio|reference|reference.css|openapi.json){,/**}',
          headers: Object.entries(pageHeaders()).map(([key, value]) => header(key, value)),
        },
        {
          source: '/@(studio|reference|reference.css|openapi.json)',
          headers: [header('Cache-Control', 'no-cache')],
        },
        // Their names have a hash of what is in them.
        { source: '/studio/assets/**', headers: [header('Cache-Control', longLived)] },
      ],
    },
  };
}
