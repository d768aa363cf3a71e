// What the scripts of the page know. `PageData` is the JSON in #data, which src/report/html/page.rs writes; everything
// after it is made of that by the scripts. This file is read by scripts/check-page.sh alone and is not in the page.

interface PageData {
  version: number;
  driftscope: string;
  title: string;
  measures: Measure[];
  colours: ColourTable[];
  /** Data URLs, shared by the runs. */
  pictures: string[];
  runs: RunData[];
  /** After how many seconds the page loads itself again; only while its runs train. */
  reload?: number;
}

/** A number from two maps. */
interface Measure {
  name: string;
  label: string;
  higher_is_more_similar: boolean;
  /** Null where it has no end. */
  range: [number | null, number | null];
}

interface ColourTable {
  name: string;
  signed: boolean;
  /** Base64 of 256 colours, a byte each of red, green and blue. */
  table: string;
}

interface RunData {
  name: string;
  model: string;
  classes: string[];
  images: PanelImage[];
  epochs: Epoch[];
  methods: Method[];
  /** What the run was made with. */
  card?: RunCard;
  /** Every epoch against every other, of each explainer and target. */
  matrices?: Matrix[];
  answer?: Answer | null;
  /** What is missing is left out of the page. */
  analysis?: Analysis;
}

interface RunCard {
  /** When the run began, in seconds since 1970; null in old runs, of which only is known when `run.json` was written. */
  begun: number | null;
  written: number | null;
  /** Values by their path in the run's settings: `schedule.learning_rate`. */
  settings: { [path: string]: string };
}

/** Row k has k places: epoch k against each of those before it. */
type Triangle<T = number> = (T | null)[][];

/** Every epoch against every other, of one explainer and target. */
interface Matrix {
  explainer: string;
  target: string;
  measure: string;
  /** The greatest `moved` that is still noise. */
  margin: number;
  patience: number;
  epochs: number[];
  /** 0: as far apart as noise moves maps; 100: as maps of different images. */
  moved: Triangle;
  low: Triangle;
  high: Triangle;
  /** In the measure, means over the panel. */
  value: Triangle;
  floor: Triangle;
  chance: Triangle;
  /** Only where another seed's run is given. */
  seed_floor?: Triangle;
  moved_from_seed?: Triangle;
  /** The distance beyond which an image moved. */
  threshold: Triangle;
  images_moved: Triangle;
  defined: Triangle;
  dead: Triangle;
  retargeted: Triangle;
  /** Why a pair has no `moved`. */
  why: Triangle<string>;
  /** Of epochs 1 and later, each image's `moved` against the epoch before and against the first. */
  images_previous: ((number | null)[] | null)[];
  images_first: ((number | null)[] | null)[];
  /** From and to, both included. */
  phases: [number, number][];
  settled: { [floor in "noise" | "seed"]?: SettledAt };
}

interface SettledAt {
  /** Null for not yet. */
  epoch: number | null;
  /** Null where it is not known; an end is null for not yet. */
  interval: [number | null, number | null] | null;
  /** The share of resampled panels that have not settled. */
  not_yet: number | null;
}

/** A run in sentences. */
interface Answer {
  sentences: Part[][];
  warnings: Part[][];
}

/** Words, and what they are about. */
interface Part {
  text: string;
  epoch?: number;
  /** An explainer's name. */
  method?: string;
  /** A place in the panel. */
  image?: number;
  class?: string;
}

/** What is known of two epochs of a view. */
interface Pair {
  /** The later of the two. */
  epoch: number;
  reference: number;
  /** Their places in the matrix. */
  row: number;
  column: number;
  moved: number | null;
  low: number | null;
  high: number | null;
  value: number | null;
  floor: number | null;
  chance: number | null;
  seedFloor: number | null;
  threshold: number | null;
  imagesMoved: number | null;
  defined: number | null;
  /** Whether it is within the margin. */
  still: boolean;
  /** Why `moved` is not measurable. */
  why: string;
}

interface PanelImage {
  id: string;
  /** Index into the run's classes. */
  label: number;
  /** Index into the page's pictures. */
  picture: number;
}

interface Epoch {
  epoch: number;
  train_loss: number | null;
  train_accuracy: number | null;
  val_loss: number | null;
  val_accuracy: number | null;
  class_accuracy: (number | null)[];
  predictions: Predictions | null;
  /** `[cell, count, …]` of validation images, where cell is label · classes + prediction; what is not named is 0. */
  confusion: number[] | null;
}

/** Of each panel image. */
interface Predictions {
  predicted: number[];
  /** Of the predicted class. */
  probability: number[];
  /** Of the true class. */
  probability_label: number[];
}

/** An explainer's maps for one kind of target. */
interface Method {
  explainer: string;
  title: string;
  tap: string;
  target: string;
  class_specific: boolean;
  /** Rows and columns of the maps in the page. */
  grid: [number, number];
  /** Rows and columns of the maps in the run. */
  stored_grid: [number, number];
  signed: boolean;
  epochs: MapRecord[];
}

/** The maps of one epoch. */
interface MapRecord {
  epoch: number;
  untrained_head: boolean;
  status: ("alive" | "dead" | "constant" | "non-finite")[];
  /** Base64 of f32, little-endian, `[N, 2]`: the least and the greatest value of each map. */
  ranges: string;
  /** Base64 of u16, little-endian, `[N, rows, columns]`: 0 is the least value, 65535 the greatest. */
  cells: string;
  /** The least and the greatest value of each map; made of `ranges`. */
  range: [number, number][];
  /** Whether the maps explain a class that the head was never taught. */
  noise: boolean;
  /** `cells`, decoded when it is first needed. */
  view?: DataView;
  /** The ranks of each map's cells, made when they are first needed. */
  ranks?: Float32Array[];
}

type TableName = "drift" | "paths" | "stabilisation" | "spread" | "agreement" | "layers";
type Analysis = { [name in TableName]?: PackedTable | [] } & { warnings?: string[] };

/** A table as src/report/html/packed.rs packs it. */
interface PackedTable {
  rows: number;
  columns: { [key: string]: unknown[] | { names: string[]; at: (number | null)[] } };
}

type Interval = [number, number] | null;

/** An estimate over the panel. */
interface Estimate {
  measure: string;
  epoch: number;
  value: number | null;
  interval: Interval;
  defined: number;
}

interface DriftRow extends Estimate {
  explainer: string;
  target: string;
  against: string;
  reference_epoch: number;
  group?: string;
  floor: number | null;
  seed_floor: number | null;
  chance: number | null;
}

interface PathRow {
  explainer: string;
  target: string;
  measure: string;
  epoch: number;
  path: number | null;
  net: number | null;
  interval?: Interval;
}

interface SettledRow {
  explainer: string;
  target: string;
  measure: string;
  against_floor: "noise" | "seed";
  epoch: number | null;
}

interface SpreadRow {
  explainer: string;
  target: string;
  descriptor: string;
  layer: number | null;
  epoch: number;
  value: number | null;
  interval: Interval;
}

interface AgreementRow extends Estimate {
  one: string;
  other: string;
  against: string;
}

interface LayerRow extends Estimate {
  chance: number | null;
  explainer: string;
  against: string;
  layer: number;
  /** Null for all heads together. */
  head: number | null;
}

interface Tables {
  drift: DriftRow[];
  paths: PathRow[];
  stabilisation: SettledRow[];
  spread: SpreadRow[];
  agreement: AgreementRow[];
  layers: LayerRow[];
}

/** Tables whose rows are about one explainer. */
type ViewTable = Exclude<TableName, "agreement">;

interface Run extends RunData, Tables {
  index: number;
  /** Its name, numbered where several runs have it. */
  label: string;
  colour: string;
  warnings: string[];
  byEpoch: Map<number, Epoch>;
  /** Places of images by id. */
  indexOf: Map<string, number>;
  /** Rows of `drift` by explainer, target, measure, reference, group and epoch. */
  estimateAt: Map<string, DriftRow>;
}

/** One method of one run, for one kind of target. */
interface View {
  run: Run;
  method: Method;
  index: number;
  /** The method. */
  title: string;
  /** The method, and the run where there are several. */
  label: string;
  records: MapRecord[];
  matrix?: Matrix;
  /** Whether it is shown. */
  on: boolean;
  /** Whether it is at first. */
  first: boolean;
  colour: string;
  /** How its curves are drawn beside others: the further targets of a method share its colour. */
  line: LineStyle;
  /** Values at which colours are full, by scale. */
  scales?: Map<string, number>;
}

/** What a run said about an image. */
interface Outcome {
  name: string;
  probability: number;
  /** The probability of the true class. */
  ofLabel: number;
  right: boolean;
  /** Whether the epoch before said otherwise. */
  changed: boolean;
}

/** What a canvas shows: values in colours, or why there are none. */
interface Shown {
  record?: MapRecord;
  /** Of a change: the maps that are subtracted. */
  before?: MapRecord;
  missing?: string;
  values?: Float64Array;
  /** The value at which the colour is full. */
  full?: number;
  signed?: boolean;
  colours?: string;
}

interface MapCanvas extends HTMLCanvasElement {
  view: View;
  shows?: Shown;
}

/** A point of a chart; low and high are the ends of its interval. */
interface Point {
  epoch: number;
  value: number;
  low?: number;
  high?: number;
}

/** A point that may have no value, and then is left out. */
interface MaybePoint extends Omit<Point, "value"> {
  value: number | null | undefined;
}

type LineStyle = "" | "floor" | "seed" | "chance" | "second";
interface Curve {
  name: string;
  colour: string;
  style?: LineStyle;
  points: MaybePoint[];
}
interface Series extends Curve {
  points: Point[];
}

/** A mark on the axis of a chart, explained in its legend. */
interface Note {
  epoch: number;
  colour: string;
  text: string;
}

interface ChartOptions {
  /** What the axis shows at least; by default the values' own range. */
  range?: [number, number];
  notes?: Note[];
  format?: Format;
  /** Of the ends of an interval, where it is another. */
  ends?: Format;
  /** Values below it are drawn at it. */
  flat?: number;
  /** The greatest value that means noise, in a band from the bottom. */
  shade?: number;
}

type Format = (value: number | null | undefined) => string;

/** A column of the table of classes. */
interface Column {
  /** In the upper row of headings. */
  over: string;
  name: string;
  /** The value of a class. */
  of: (name: string) => string | number | null;
  format: Format;
  /** Which part of a bar a value fills, in 0 to 1; null for none. */
  part?: (value: number) => number | null;
  /** What is known beside the value of a class. */
  about?: (name: string) => { count: number; ends: number[] };
  /** Whether it is the first of its run. */
  first?: boolean;
  /** Whether its values are drift. */
  drift?: boolean;
}

interface MapTile {
  view: View;
  /** Place of the image in the run's panel. */
  image: number;
  canvas: MapCanvas;
  /** What is unusual about the map's epoch. */
  badge: HTMLElement;
  facts: HTMLElement;
  box: HTMLElement;
}

/** An image of the panel. */
interface Card {
  id: string;
  item: HTMLElement;
  body: HTMLElement;
  /** The tile of the picture itself. */
  original: HTMLElement;
  /** The runs that have it in their panel. */
  owners: Run[];
  className: string;
  tiles: MapTile[];
  /** The maps of all epochs, where they are shown at once. */
  frames: { view: View; image: number; record: MapRecord; canvas: MapCanvas; painted: string }[];
  /** Where each run's prediction stands. */
  heads: { run: Run; box: HTMLElement }[];
  /** The count of `state.paints` when it was painted last. */
  painted: number;
}

/** A view's maps of the open image, epoch by epoch. */
interface Strip {
  view: View;
  image: number;
  frames: Frame[];
  /** The two epochs that are compared, and the change. */
  pair: { kind: "from" | "to" | "change"; canvas: MapCanvas; name: HTMLElement; box: HTMLElement }[];
  /** The two over one another. */
  curtain: { under: MapCanvas; over: MapCanvas; box: HTMLElement };
  /** How far the map moved between the two. */
  note: HTMLElement;
  box: HTMLElement;
}

interface Frame {
  record: MapRecord;
  canvas: MapCanvas;
  text: HTMLElement;
  button: HTMLElement;
  /** The choices that it was painted with. */
  painted: string;
}

type Attributes = { [name: string]: string | number | null | undefined };
type Child = string | Node;

/** The elements of page.html by their ids. */
interface PageElements {
  data: HTMLScriptElement;
  title: HTMLElement;
  sections: HTMLElement;
  made: HTMLDetailsElement;
  "made-line": HTMLElement;
  "made-body": HTMLElement;
  play: HTMLButtonElement;
  back: HTMLButtonElement;
  forward: HTMLButtonElement;
  epoch: HTMLInputElement;
  "epoch-text": HTMLElement;
  "spark-key": HTMLElement;
  spark: HTMLElement;
  "answer-part": HTMLElement;
  answers: HTMLElement;
  hero: HTMLElement;
  matrices: HTMLElement;
  "matrix-key": HTMLElement;
  "matrix-say": HTMLElement;
  "matrix-tables": HTMLDetailsElement;
  "most-part": HTMLElement;
  "most-title": HTMLElement;
  most: HTMLElement;
  measure: HTMLSelectElement;
  speed: HTMLSelectElement;
  loop: HTMLInputElement;
  theme: HTMLSelectElement;
  "drift-note": HTMLElement;
  jumps: HTMLElement;
  methods: HTMLElement;
  summaries: HTMLElement;
  warnings: HTMLElement;
  "warning-first": HTMLElement;
  "warning-list": HTMLElement;
  panel: HTMLElement;
  "panel-title": HTMLElement;
  mode: HTMLSelectElement;
  since: HTMLSelectElement;
  sort: HTMLSelectElement;
  class: HTMLSelectElement;
  outcome: HTMLSelectElement;
  colours: HTMLSelectElement;
  scale: HTMLSelectElement;
  opacity: HTMLInputElement;
  ramps: HTMLElement;
  "scale-text": HTMLElement;
  count: HTMLElement;
  only: HTMLButtonElement;
  again: HTMLButtonElement;
  cards: HTMLElement;
  none: HTMLElement;
  more: HTMLElement;
  next: HTMLButtonElement;
  all: HTMLButtonElement;
  "drift-part": HTMLElement;
  "drift-part-title": HTMLElement;
  drift: HTMLElement;
  "outcomes-part": HTMLElement;
  outcomes: HTMLElement;
  "outcomes-note": HTMLElement;
  "learning-part": HTMLElement;
  "learning-part-title": HTMLElement;
  learning: HTMLElement;
  "classes-part": HTMLElement;
  "classes-part-title": HTMLElement;
  "classes-note": HTMLElement;
  classes: HTMLElement;
  "scatter-part": HTMLElement;
  "scatter-tools": HTMLElement;
  "scatter-view": HTMLSelectElement;
  scatter: HTMLElement;
  "confusion-note": HTMLElement;
  "confusion-say": HTMLElement;
  "confusion-tools": HTMLElement;
  "confusion-run": HTMLSelectElement;
  confusion: HTMLElement;
  "paths-part": HTMLElement;
  paths: HTMLElement;
  "spread-part": HTMLElement;
  spread: HTMLElement;
  "agreement-part": HTMLElement;
  agreement: HTMLElement;
  "layers-part": HTMLElement;
  layers: HTMLElement;
  strip: HTMLDialogElement;
  "strip-picture": HTMLImageElement;
  "strip-title": HTMLElement;
  "strip-id": HTMLElement;
  "strip-bar": HTMLElement;
  "strip-back": HTMLButtonElement;
  "strip-forward": HTMLButtonElement;
  "strip-jump": HTMLButtonElement;
  "strip-save": HTMLButtonElement;
  "strip-link": HTMLAnchorElement;
  "strip-close": HTMLButtonElement;
  "strip-body": HTMLElement;
  tip: HTMLElement;
}
