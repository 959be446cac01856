/** Which shelf a document belongs on: what its front matter says, or else its name. */
import { describe, expect, it } from 'vitest';
import { findPlace, shelvesByName } from '../../../tools/docs/shelves.ts';

describe('the name of a document', () => {
  it.each([
    ['DEPLOYMENT_GUIDE.md', 'deployment'],
    ['hosting.md', 'deployment'],
    ['src/cloud-run.md', 'deployment'],
    ['TESTING.md', 'testing'],
    ['qa-notes.md', 'testing'],
    ['testCoverage.md', 'testing'],
    ['SECURITY_AUDIT.md', 'audit'],
    ['performance.markdown', 'audit'],
    ['QUICKSTART.md', 'setup'],
    ['Quick Start.md', 'setup'],
    ['environment.md', 'setup'],
    ['APIReference.md', 'api'],
    ['endpoints.md', 'api'],
    ['feature-gallery.md', 'features'],
    ['HOWTO.md', 'guides'],
    ['USER_GUIDE.md', 'guides'],
    ['FIX_SUMMARY.md', 'completed'],
    ['API_FIX_COMPLETED.md', 'completed'],
    ['ROADMAP.md', 'newfeature'],
    ['deployment-plan.md', 'newfeature'],
    ['NEW_FEATURE_gallery.md', 'newfeature'],
    ['newfeature.md', 'newfeature'],
  ])('%s belongs on %s', (path, shelf) => {
    expect(shelvesByName(path)).toEqual([shelf]);
  });

  it.each(['notes.md', 'latest.md', 'prefix.md', 'rapid.md', 'explanation.md', 'Überblick.md'])(
    '%s says nothing: a word is no part of another',
    (path) => expect(shelvesByName(path)).toEqual([]),
  );

  it.each([
    ['api-testing.md', ['testing', 'api']],
    ['FEATURE_GUIDE.md', ['features', 'guides']],
    ['plan-done.md', ['completed', 'newfeature']],
  ])('%s says two things equally', (path, shelves) => {
    expect(shelvesByName(path)).toEqual(shelves);
    expect(findPlace(path, undefined)).toHaveProperty('unsorted');
  });

  it.each([
    'README.md',
    'START_HERE.md',
    'CONTRIBUTING.md',
    'LICENSE.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'CODE_OF_CONDUCT.md',
    '.github/pull_request_template.md',
    'src/README.md',
    'docs/guides/api.md',
    'docs/api/v2/test.md',
  ])('%s stays', (path) => {
    expect(findPlace(path, undefined)).toEqual({ path });
  });

  it.each(['src/SECURITY.md', 'docs/SECURITY.md', 'docs/old/SECURITY.md'])('%s does not', (path) => {
    expect(findPlace(path, undefined)).toEqual({ path: 'docs/audit/SECURITY.md' });
  });
});

describe('front matter', () => {
  it.each<[string, unknown, object]>([
    ['goes over the name', 'guides', { path: 'docs/guides/api.md' }],
    ['can say that a document stays', 'stay', { path: 'api.md' }],
    ['that names no shelf is listed', 'attic', { unsorted: expect.stringContaining('names no shelf') }],
    ['that names what every object has is listed', 'toString', { unsorted: expect.any(String) }],
    ['with an empty shelf says nothing', null, { path: 'docs/api/api.md' }],
  ])('%s', (_, shelf, place) => {
    expect(findPlace('api.md', { shelf })).toEqual(place);
  });

  it('moves a document from one shelf to another', () => {
    const path = 'docs/api/v1/x.md';
    expect(findPlace(path, { shelf: 'setup' })).toEqual({ path: 'docs/setup/x.md' });
    expect(findPlace(path, { shelf: 'api' })).toEqual({ path });
  });
});
