/** The functions for admins. The server decides who is one. */
import type {
  AdminAccountAnswer,
  AdminAccountsAnswer,
  GenerationAnswer,
  OverviewAnswer,
  ReportsAnswer,
  ResolveReportAnswer,
  ResolveReportRequest,
  SuspendAnswer,
  SuspendRequest,
  TakedownRequest,
} from '../../shared/contract.ts';
import { createCaller, createClient, toQuery } from '../client.ts';
import { idToken } from '../state/session.ts';

const accountsPerPage = 30;
const reportsPerPage = 20;

const options = { token: idToken };
const call = createCaller(options);

/** Each function throws an `ApiError`. */
export const deskClient = {
  overview: async (from: Date, to: Date): Promise<OverviewAnswer> =>
    (await call({ path: `adminOverview${toQuery({ from: from.toISOString(), to: to.toISOString() })}` }))
      .answer,

  /** @param find a uid, an e-mail address, a support code or a Checkout session; empty for all accounts */
  accounts: async (find: string, pageToken?: string): Promise<AdminAccountsAnswer> => {
    const query = { find: find || undefined, pageSize: accountsPerPage, pageToken };
    return (await call({ path: `adminAccounts${toQuery(query)}` })).answer;
  },

  account: async (uid: string): Promise<AdminAccountAnswer> =>
    (await call({ path: `adminAccount${toQuery({ uid })}` })).answer,

  /** One key is one grant, however often it is sent. */
  grant: createClient(options).grant,

  /** Safe to repeat. */
  suspend: async (request: SuspendRequest): Promise<SuspendAnswer> =>
    (await call({ path: 'suspend', body: request })).answer,

  /** Safe to repeat. */
  takedown: async (request: TakedownRequest): Promise<GenerationAnswer> =>
    (await call({ path: 'takedown', body: request })).answer,

  reports: async (pageToken?: string): Promise<ReportsAnswer> =>
    (await call({ path: `reports${toQuery({ pageSize: reportsPerPage, pageToken })}` })).answer,

  /** Safe to repeat. */
  resolveReport: async (request: ResolveReportRequest): Promise<ResolveReportAnswer> =>
    (await call({ path: 'resolveReport', body: request })).answer,
};
