// Steps over a common pair of axes, drawn by uPlot in the page's colours. A chart is built again when the
// colour scheme changes.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { onSchemeChange, token } from './colours.ts';
import { h } from './dom.ts';

export interface Line {
  label: string;
  colour: string; // name of a custom property
  width?: number;
  dash?: number[];
}

interface Axis {
  label: string;
  format: (value: number) => string;
  steps?: number[]; // distances that ticks may have
}

export interface ChartOptions {
  label: string; // for screen readers
  height: number;
  x: Axis;
  y: Axis;
  lines: Line[];
}

export class Chart {
  readonly box: HTMLElement;
  readonly #options: ChartOptions;
  #plot: uPlot | null = null;
  #data: uPlot.AlignedData;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#data = [[], ...options.lines.map(() => [])] as uPlot.AlignedData;
    this.box = h('div', { class: 'chart', role: 'img', 'aria-label': options.label });
    new ResizeObserver(() => this.#fit()).observe(this.box);
    onSchemeChange(() => {
      this.#plot?.destroy();
      this.#plot = null;
      this.#fit();
    });
  }

  set data(data: uPlot.AlignedData) {
    this.#data = data;
    this.#plot?.setData(data);
  }

  #fit(): void {
    const width = this.box.clientWidth;
    if (width === 0) return;
    if (!this.#plot) this.#plot = new uPlot(this.#build(width), this.#data, this.box);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: this.#options.height });
  }

  #build(width: number): uPlot.Options {
    const { height, x, y, lines } = this.#options;
    const grid = { stroke: token('line'), width: 1 };
    const axis = (of: Axis): uPlot.Axis => ({
      stroke: token('muted'),
      grid,
      ticks: grid,
      label: of.label,
      labelSize: 18,
      font: '11px system-ui',
      labelFont: '11px system-ui',
      incrs: of.steps,
      values: (_, ticks) => ticks.map((v) => (v == null ? '' : of.format(v))),
    });
    return {
      width,
      height,
      cursor: { drag: { x: false, y: false } },
      legend: { live: true },
      scales: { x: { time: false }, y: { range: (_, __, top) => [0, Math.max(top * 1.06, 1)] } },
      axes: [
        { ...axis(x), size: 34 },
        { ...axis(y), size: 62 },
      ],
      series: [
        { label: x.label, value: (_, v) => (v == null ? '–' : x.format(v)) },
        ...lines.map((line): uPlot.Series => ({
          label: line.label,
          stroke: token(line.colour),
          width: line.width ?? 2,
          dash: line.dash,
          paths: uPlot.paths.stepped!({ align: 1 }),
          points: { show: false },
          value: (_, v) => (v == null ? '–' : y.format(v)),
        })),
      ],
    };
  }
}
