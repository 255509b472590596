// The series of one metric: found by their labels' values without making a text of them, and bounded, whatever clients
// come up with.
import { type Definition, OPEN_LABELS, OTHER } from './definition.ts';

/**
 * The figures of one series: of a counter or gauge its value; of a histogram how many observations each bucket got,
 * then how many were above all bounds, then their sum.
 */
export class Series {
  readonly labels: readonly string[];
  readonly figures: number[];
  readonly #bounds: readonly number[];

  constructor(labels: readonly string[], bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.figures = new Array<number>(bounds.length === 0 ? 1 : bounds.length + 2).fill(0);
  }

  /** For a counter or a gauge. */
  add(amount: number): void {
    this.figures[0] = (this.figures[0] ?? 0) + amount;
  }

  /** For a histogram. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    this.figures[bucket] = (this.figures[bucket] ?? 0) + 1;
    this.figures[bounds.length + 1] = (this.figures[bounds.length + 1] ?? 0) + value;
  }

  /** Adds figures of the same metric that were taken elsewhere. */
  merge(figures: readonly number[]): void {
    for (let at = 0; at < this.figures.length; at += 1) {
      this.figures[at] = (this.figures[at] ?? 0) + (figures[at] ?? 0);
    }
  }
}

/** Values that one label may have before the rest counts as `other`. */
const MAX_VALUES = 100;
const MAX_SERIES = 2_000;
const MAX_CHARS = 100;

/** A branch leads by one label's value to the next one's, the last to the series. */
type Branch = Map<string, Branch | Series>;

export class Family {
  readonly definition: Definition;
  readonly #root: Branch = new Map();
  readonly #all: Series[] = [];
  /** By place of the label: the values that have one. */
  readonly #admitted: readonly Set<string>[];

  constructor(definition: Definition) {
    this.definition = definition;
    this.#admitted = definition.labels.map(() => new Set<string>());
  }

  /** In the order in which they came up. */
  get series(): readonly Series[] {
    return this.#all;
  }

  /** The series of these values, in the order of the labels. */
  at(...values: readonly string[]): Series {
    const first = this.#all[0];
    if (values.length === 0 && first !== undefined) return first;
    let branch = this.#root;
    for (const value of values) {
      const next = branch.get(value);
      if (next === undefined) break;
      if (next instanceof Series) return next;
      branch = next;
    }
    return this.#admit(values);
  }

  #admit(values: readonly string[]): Series {
    const { labels } = this.definition;
    let bounded = values.map((value, place) => this.#bound(labels[place] ?? '', place, value));
    if (this.#all.length >= MAX_SERIES) {
      bounded = bounded.map((value, place) => (OPEN_LABELS.has(labels[place] ?? '') ? OTHER : value));
    }
    return this.#find(bounded);
  }

  #bound(label: string, place: number, value: string): string {
    const admitted = this.#admitted[place];
    if (admitted === undefined || !OPEN_LABELS.has(label)) return value;
    const short = value.length > MAX_CHARS ? `${value.slice(0, MAX_CHARS)}…` : value;
    if (admitted.has(short)) return short;
    if (admitted.size >= MAX_VALUES) return OTHER;
    admitted.add(short);
    return short;
  }

  #find(values: readonly string[]): Series {
    let branch = this.#root;
    for (const value of values.slice(0, -1)) {
      let next = branch.get(value);
      if (next === undefined || next instanceof Series) {
        next = new Map();
        branch.set(value, next);
      }
      branch = next;
    }
    const last = values.at(-1) ?? '';
    const known = branch.get(last);
    if (known instanceof Series) return known;
    const series = new Series(values, this.definition.buckets);
    branch.set(last, series);
    this.#all.push(series);
    return series;
  }
}
