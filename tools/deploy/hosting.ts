/** Creates firebase.json, the Firebase CLI's configuration, from the manifest and the page's headers. */
import { pageHeaders } from '../../web/securityPolicy.ts';
import { manifest, toServiceName } from './manifest.ts';

/** The region in the repository's firebase.json. A deploy writes its own file, with its own region, into dist/. */
export const defaultRegion = 'us-central1';

const immutable = 'public, max-age=31536000, immutable';
const header = (key: string, value: string) => ({ key, value });

/** @param publicDir the folder of the built page, relative to the file. */
export function createFirebaseConfig({ region, publicDir }: { region: string; publicDir: string }) {
  return {
    firestore: { rules: 'firestore.rules', indexes: 'firestore.indexes.json' },
    hosting: {
      public: publicDir,
      cleanUrls: true,
      trailingSlash: false,
      redirects: [{ source: '/', destination: '/studio', type: 302 }],
      rewrites: [
        ...Object.entries(manifest).flatMap(([target, { trigger }]) =>
          trigger.kind === 'http'
            ? [{ source: trigger.path ?? `/${target}`, run: { serviceId: toServiceName(target), region } }]
            : [],
        ),
        { source: '/studio/desk', destination: '/studio/index.html' },
      ],
      headers: [
        {
          source: '/@(studio|reference|reference.css|openapi.json){,/**}',
          headers: Object.entries(pageHeaders()).map(([key, value]) => header(key, value)),
        },
        {
          source: '/@(studio|reference|reference.css|openapi.json)',
          headers: [header('Cache-Control', 'no-cache')],
        },
        { source: '/studio/desk', headers: [header('Cache-Control', 'no-cache')] },
        // File names contain a hash of the content.
        { source: '/studio/assets/**', headers: [header('Cache-Control', immutable)] },
      ],
    },
  };
}
