// One clock for many: everybody is looked at once a tick, whoever leaves meanwhile.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { NOT_TICKING, Ticker, type Ticking } from '../../../src/proxy/ticker.ts';

const INTERVAL_MS = 50;

interface Counting extends Ticking {
  ticks: number;
}

test('Everybody is looked at once a tick, also when some leave during it', (t) => {
  const { ticker, tick } = start(t);
  const all: Counting[] = [];
  for (let i = 0; i < 6; i += 1) {
    all.push(
      counting(() => {
        // One that has been looked at, one that has not, and itself.
        if (i === 3) for (const leaving of [5, 1, 3]) ticker.delete(at(all, leaving));
      }),
    );
  }
  for (const each of all) ticker.add(each);
  tick();
  assert.deepEqual(
    all.map(({ ticks }) => ticks),
    [1, 1, 1, 1, 1, 0],
  );
  tick();
  assert.deepEqual(
    all.map(({ ticks }) => ticks),
    [2, 1, 2, 1, 2, 0],
  );
});

test('Who is added twice is looked at once, who left may come again, and to leave twice does no harm', (t) => {
  const { ticker, tick } = start(t);
  const [one, other] = [counting(), counting()];
  ticker.add(one);
  ticker.add(one);
  ticker.add(other);
  tick();
  ticker.delete(one);
  ticker.delete(one);
  tick();
  assert.deepEqual([one.ticks, other.ticks], [1, 2]);
  ticker.add(one);
  tick();
  assert.deepEqual([one.ticks, other.ticks], [2, 3]);
});

function start(t: TestContext): { readonly ticker: Ticker; readonly tick: () => void } {
  t.mock.timers.enable({ apis: ['setInterval'] });
  return { ticker: new Ticker(INTERVAL_MS), tick: () => t.mock.timers.tick(INTERVAL_MS) };
}

function counting(onTicked: () => void = () => {}): Counting {
  const listener: Counting = {
    tickerPlace: NOT_TICKING,
    ticks: 0,
    onTick: () => {
      listener.ticks += 1;
      onTicked();
    },
  };
  return listener;
}

function at(list: readonly Counting[], place: number): Counting {
  const found = list[place];
  if (found === undefined) throw new Error(`nobody at ${place}`);
  return found;
}
