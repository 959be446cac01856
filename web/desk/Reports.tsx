import { useEffect, useState } from 'preact/hooks';
import type { Report } from '../../shared/contract.ts';
import { Button } from '../components/Button.tsx';
import { EmptyWallDrawing } from '../components/drawings.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { More } from '../components/More.tsx';
import { Tile } from '../components/Tile.tsx';
import { announce } from '../state/announce.ts';
import { createPagedList } from '../state/pagedList.ts';
import { deskText } from '../strings/en/desk.ts';
import { text } from '../strings/en.ts';
import { timeText, wholeTimeText } from '../strings/format.ts';
import { ActionDialog } from './ActionDialog.tsx';
import { deskClient } from './deskClient.ts';
import { toAccountHref } from './deskRoute.ts';
import { LoadProblem } from './LoadProblem.tsx';

const { reports: words, actions } = deskText;

type Resolution = 'dismissed' | 'takenDown';

/** The open reports of public images, newest first. */
export function Reports() {
  const [list] = useState(createReportList);
  const [open, setOpen] = useState<{ report: Report; resolution: Resolution } | undefined>();
  useEffect(() => void list.more(), [list]);
  const { items, state, isLoading, problem } = list;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{words.title}</h1>
      </div>
      <ul class="reports">
        {items.value.map((report) => (
          <li key={report.id} class="card">
            <ReportItem report={report} onResolve={(resolution) => setOpen({ report, resolution })} />
          </li>
        ))}
      </ul>
      {items.value.length === 0 && state.value === 'complete' && (
        <EmptyState drawing={<EmptyWallDrawing />} title={words.empty} level="h2">
          <p>{words.emptyHint}</p>
        </EmptyState>
      )}
      <LoadProblem
        problem={problem.value}
        isLoading={state.value === 'initial' && isLoading.value}
        onRetry={() => void list.more()}
      />
      {state.value === 'more' && !problem.value && (
        <More onMore={list.more} isLoading={isLoading.value} count={items.value.length} />
      )}
      {open && (
        <ResolveDialog
          {...open}
          onClose={() => setOpen(undefined)}
          onDone={(message) => {
            announce(message);
            list.remove(open.report.id);
            setOpen(undefined);
          }}
        />
      )}
    </>
  );
}

const createReportList = () =>
  createPagedList<Report>(
    async (pageToken) => {
      const { reports, nextPageToken } = await deskClient.reports(pageToken);
      return { items: reports, nextPageToken };
    },
    () => 0,
  );

type ItemProps = { report: Report; onResolve: (resolution: Resolution) => void };

function ReportItem({ report, onResolve }: ItemProps) {
  const { image, reason, details, createdAt, uid, generationId } = report;
  return (
    <>
      <div class="thumbnail">
        {image ? (
          <a href={image.url} target="_blank" rel="noopener noreferrer">
            <Tile image={image} alt={words.imageAlt} />
          </a>
        ) : (
          <p class="quiet">{words.imageGone}</p>
        )}
      </div>
      <div class="about">
        <h2>{text.report.removalReasons[reason]}</h2>
        {details && (
          <p class="reason" dir="auto">
            {details}
          </p>
        )}
        <p class="quiet">
          <time dateTime={createdAt} title={wholeTimeText(createdAt)}>
            {words.reported(timeText(createdAt))}
          </time>
        </p>
        <p class="quiet">
          {words.by} <a href={toAccountHref(uid, generationId)}>{uid}</a>
        </p>
        <div class="row">
          <Button aria-haspopup="dialog" onClick={() => onResolve('dismissed')}>
            {words.dismiss}
          </Button>
          {image && (
            <Button kind="danger" aria-haspopup="dialog" onClick={() => onResolve('takenDown')}>
              {words.takeDown}
            </Button>
          )}
        </div>
      </div>
    </>
  );
}

type ResolveProps = {
  report: Report;
  resolution: Resolution;
  onClose: () => void;
  onDone: (message: string) => void;
};

/** The reason is that of the report. */
function ResolveDialog({ report: { id, uid, reason }, resolution, ...events }: ResolveProps) {
  const isDismissed = resolution === 'dismissed';
  return (
    <ActionDialog
      {...events}
      title={isDismissed ? actions.dismissTitle : actions.takedownTitle}
      sentence={
        isDismissed
          ? actions.dismissSentence(uid)
          : actions.reportedSentence(uid, text.report.removalReasons[reason])
      }
      confirm={isDismissed ? actions.confirmDismiss : actions.confirmTakedown}
      isDangerous={!isDismissed}
      perform={async () => {
        await deskClient.resolveReport({ id, resolution });
        return isDismissed ? actions.dismissed : actions.takenDown;
      }}
    />
  );
}
