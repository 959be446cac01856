/** A database that records its round trips and counts the documents that Firestore bills as read. */
import type { Database } from '../../shared/database/database.ts';

export function countingDatabase(database: Database) {
  const trips: string[] = [];
  let documentsRead = 0;
  const counted: Database = {
    ...database,
    async read(paths) {
      trips.push('read');
      documentsRead += paths.length;
      return database.read(paths);
    },
    async commit(writes) {
      trips.push('commit');
      return database.commit(writes);
    },
    async page(request) {
      trips.push('page');
      const page = await database.page(request);
      documentsRead += page.documents.length;
      return page;
    },
    async totals(path, requests) {
      trips.push('totals');
      documentsRead += 1;
      return database.totals(path, requests);
    },
  };
  return {
    database: counted,
    trips,
    documentsRead: () => documentsRead,
    reset() {
      trips.length = 0;
      documentsRead = 0;
    },
  };
}
