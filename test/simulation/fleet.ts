/** The instances of a history: which there are, how requests reach them, and how they come to an end. */
import { type Ground, type Instance, startInstance } from './instance.ts';
import type { Model } from './model.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/** Looks at an answer; `startTick` is the model's at the moment the request reached the function. */
export type Judge = (answer: WireAnswer, startTick: number, startedAt: number) => void;

export type Fleet = {
  /** Sends a request to one of the instances. Undefined where no answer came: nobody knows what became of it. */
  send(request: WireRequest, judge: Judge, patienceMs?: number): Promise<WireAnswer | undefined>;
  /** Delivers an account's event, again and again while it is refused. */
  deliver(event: Parameters<Instance['deliver']>[0], triesLeft: number): void;
  start(): void;
  /** One dies in the middle of everything. Another comes up. */
  crash(): void;
  /** One is stopped, and comes back after so long. */
  suspend(milliseconds: number): void;
  /** One is replaced: told to end, and killed a while later. */
  replace(): void;
  /** All that are stopped come back. */
  wakeAll(): void;
};

/** How long Cloud Run leaves an instance after telling it to end, milliseconds. */
const graceMs = 10_000;
/** Longer than any call takes that is ever answered. */
const patienceMsMax = 400_000;

/** A fleet of so many instances. */
export async function startFleet(ground: Ground, model: Model, size: number): Promise<Fleet> {
  const { world, weather } = ground;
  const { random, check } = world;
  let started = 0;
  const instances: Instance[] = [];
  const startOne = async () => {
    started += 1;
    instances.push(await startInstance(ground, `instance-${started}`));
  };
  for (let i = 0; i < size; i += 1) await startOne();

  const remove = (instance: Instance) => void instances.splice(instances.indexOf(instance), 1);
  const delay = () => random.whole(1, 30);

  const fleet: Fleet = {
    send(request, judge, patienceMs = patienceMsMax) {
      const { actor, call } = random.pick(instances);
      const isCalm = () => world.now() >= weather.calmFrom && actor.stoppedUntil === 0;
      const what = `${request.name} ${request.key ?? ''} of ${request.as}`;
      return new Promise((resolve) => {
        const giveUp = world.after(patienceMs, `${what} is given up`, () => resolve(undefined));
        const arrive = () => {
          const [startTick, startedAt, wasCalm] = [model.tick(), world.now(), isCalm()];
          call(request).then(
            (answer) => {
              const { status } = answer;
              world.happened(
                `${request.name} ${status}`,
                () => `${actor.name} ${JSON.stringify(answer.body)}`,
              );
              judge(answer, startTick, startedAt);
              const told = JSON.stringify(answer.body);
              const isTrouble = told.includes('DATABASE_UNAVAILABLE') && told.includes('same_key');
              check(!isTrouble || !wasCalm || !isCalm(), 'without trouble there is none', () => what);
              giveUp();
              world.after(delay(), `${what} is answered`, () => resolve(answer));
            },
            (error) => world.check(false, 'a function always answers', () => `${what}: ${error}`),
          );
        };
        world.after(delay(), `${what} reaches ${actor.name}`, arrive, actor);
      });
    },

    deliver(event, triesLeft) {
      const { actor, deliver } = random.pick(instances);
      const arrive = () =>
        deliver(event).then(
          () => world.happened('accountWritten delivered'),
          () => {
            world.happened('accountWritten refused');
            const again = () => fleet.deliver(event, triesLeft - 1);
            if (triesLeft > 0) world.after(random.whole(100, 30_000), 'an event is delivered again', again);
          },
        );
      world.after(0, `an event of ${event.document} reaches ${actor.name}`, () => void arrive(), actor);
    },

    start: () => void startOne(),

    crash() {
      const instance = random.pick(instances);
      world.happened('instance crashes', () => instance.actor.name);
      instance.actor.dead = true;
      remove(instance);
      void startOne();
    },

    suspend(milliseconds) {
      const { actor } = random.pick(instances);
      world.happened(
        milliseconds > 180_000 ? 'instance stopped past all deadlines' : 'instance stopped',
        () => actor.name,
      );
      actor.stoppedUntil = world.now() + milliseconds;
    },

    replace() {
      const instance = random.pick(instances);
      world.happened('instance replaced', () => instance.actor.name);
      remove(instance);
      void startOne();
      instance.shutDown();
      world.after(graceMs, `${instance.actor.name} is killed`, () => {
        instance.actor.dead = true;
      });
    },

    wakeAll() {
      for (const { actor } of instances) actor.stoppedUntil = 0;
    },
  };
  return fleet;
}
