/** The instances of a history: how requests reach them, and how they start, stop and die. */
import { type Environment, type Instance, type StartInstance, startInstance } from './instance.ts';
import type { Model } from './model.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/** Checks a reply. `startTick` is the model's tick when the request reached the function. */
export type Check = (answer: WireAnswer, startTick: number, startedAt: number) => void;

export type Fleet = {
  /** Sends a request to one of the instances. Undefined if no reply came, so its effect is unknown. */
  send(request: WireRequest, checkReply: Check, patienceMs?: number): Promise<WireAnswer | undefined>;
  /** Delivers an account's event, and repeats that while it is refused. */
  deliver(event: Parameters<Instance['deliver']>[0], triesLeft: number): void;
  start(): void;
  /** Kills an instance and starts another. */
  crash(): void;
  /** Stops an instance for this time. */
  suspend(milliseconds: number): void;
  /** Replaces an instance: asks it to end and kills it later. */
  replace(): void;
  /** Wakes all stopped instances. */
  wakeAll(): void;
};

/** How long Cloud Run waits between SIGTERM and SIGKILL, milliseconds. */
const graceMs = 10_000;
/** Longer than any call that is ever answered takes, milliseconds. */
const patienceMsMax = 400_000;

/** A fleet of `size` instances, in turn of each version. */
export async function startFleet(
  environment: Environment,
  model: Model,
  size: number,
  versions: readonly StartInstance[] = [startInstance],
): Promise<Fleet> {
  const { world, faultRates } = environment;
  const { random, check } = world;
  let started = 0;
  const instances: Instance[] = [];
  const startOne = async () => {
    const start = versions[started % versions.length] ?? startInstance;
    started += 1;
    instances.push(await start(environment, `instance-${started}`));
  };
  for (let i = 0; i < size; i += 1) await startOne();

  const remove = (instance: Instance) => void instances.splice(instances.indexOf(instance), 1);
  const delay = () => random.whole(1, 30);

  const fleet: Fleet = {
    send(request, checkReply, patienceMs = patienceMsMax) {
      const able = instances.filter(({ has }) => has(request.name));
      // Instances that know the function are about to start.
      if (able.length === 0) return Promise.resolve(undefined);
      const { actor, call } = random.pick(able);
      const isUndisturbed = () => world.now() >= faultRates.undisturbedFrom && actor.stoppedUntil === 0;
      const what = `${request.name} ${request.key ?? ''} of ${request.as}`;
      return new Promise((resolve) => {
        const giveUp = world.after(patienceMs, `${what} times out`, () => resolve(undefined));
        const arrive = () => {
          const [startTick, startedAt, wasUndisturbed] = [model.tick(), world.now(), isUndisturbed()];
          call(request).then(
            (answer) => {
              const { status } = answer;
              world.happened(
                `${request.name} ${status}`,
                () => `${actor.name} ${JSON.stringify(answer.body)}`,
              );
              checkReply(answer, startTick, startedAt);
              const text = JSON.stringify(answer.body);
              const isUnavailable = text.includes('DATABASE_UNAVAILABLE') && text.includes('same_key');
              check(
                !isUnavailable || !wasUndisturbed || !isUndisturbed(),
                'an undisturbed call does not fail',
                () => what,
              );
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
