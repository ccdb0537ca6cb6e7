// The charts of the last minutes.
import uPlot from '../webjars/uplot/dist/uPlot.esm.js';
import { duration, element, percent, setText, short } from './format.js';

const SECONDS = 300;
const HEIGHT = 132;

/** Each has a title, and lines that are made of a sample and the one before. */
const CHARTS = {
  'chart-rates': {
    title: 'Events per second',
    least: 5,
    format: short,
    axis: short,
    lines: [
      { name: 'received', colour: '--received', of: rate('received') },
      { name: 'stored', colour: '--stored', of: rate('stored') },
      { name: 'duplicates', colour: '--duplicates', of: rate('duplicates') },
    ],
  },
  'chart-queue': {
    title: 'Queue length',
    least: 5,
    format: short,
    axis: short,
    lines: [{ name: 'queued', colour: '--queued', fill: true, of: (s) => s.queue?.queued }],
    note: (s) => (s?.usage == null ? '' : `${percent(s.usage, 1)} of its bound`),
  },
  'chart-age': {
    title: 'Age of the oldest queued event',
    least: 1,
    format: duration,
    axis: duration,
    lines: [{ name: 'oldest', colour: '--queued', fill: true, of: (s) => s.queue?.oldest_age_seconds }],
  },
  'chart-latency': {
    title: 'Latency, published to stored',
    format: duration,
    axis: duration,
    lines: [
      { name: 'p50', colour: '--stored', of: (s) => s.latency?.p50_seconds },
      { name: 'p99', colour: '--duplicates', of: (s) => s.latency?.p99_seconds },
    ],
  },
};

function rate(account) {
  return (sample, before) => {
    if (!sample.books || !before?.books) return null;
    const seconds = (Date.parse(sample.at) - Date.parse(before.at)) / 1000;
    return seconds > 0 ? Math.max(0, (sample.books[account] - before.books[account]) / seconds) : null;
  };
}

/** Draws what it is given; nothing while nobody looks. */
export function charts() {
  let history = [];
  const drawn = Object.entries(CHARTS).map(([id, chart]) => new Chart(document.getElementById(id), chart));
  const draw = () => document.hidden || drawn.forEach((chart) => chart.show(history));

  document.addEventListener('visibilitychange', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    drawn.forEach((chart) => chart.build());
    draw();
  });
  return {
    begin(samples) {
      history = samples;
      draw();
    },
    add(sample) {
      if (history.at(-1)?.number === sample.number) return;
      history = [...history, sample].slice(-SECONDS);
      draw();
    },
  };
}

class Chart {
  constructor(figure, chart) {
    this.chart = chart;
    this.figure = figure;
    this.samples = [];
    this.values = chart.lines.map(() => element('b'));
    const caption = element('figcaption');
    caption.append(element('h3', '', chart.title));
    this.note = element('span', 'note');
    const legend = element('p', 'legend');
    chart.lines.forEach((line, i) => {
      const entry = element('span', 'key');
      entry.dataset.colour = line.colour.slice(2);
      entry.append(this.values[i]);
      if (chart.lines.length > 1) entry.append(` ${line.name}`);
      legend.append(entry);
    });
    legend.append(this.note);
    caption.append(legend);
    this.plot = element('div', 'plot');
    this.plot.setAttribute('role', 'img');
    figure.append(caption, this.plot);
    this.build();
    new ResizeObserver(() => this.uplot.setSize({ width: this.width(), height: HEIGHT })).observe(this.plot);
  }

  width() {
    return Math.max(200, this.plot.clientWidth);
  }

  build() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      font: `11px ${style.fontFamily}`,
      grid: { stroke: colour('--rule'), width: 1 },
      ticks: { show: false },
    };
    this.uplot?.destroy();
    this.uplot = new uPlot(
      {
        width: this.width(),
        height: HEIGHT,
        padding: [8, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { range: () => [this.until - SECONDS, this.until] },
          y: { range: (u, min, max) => [0, Math.max(max * 1.15, this.chart.least ?? 0.01)] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 22,
            gap: 4,
            splits: () => [240, 120, 0].map((ago) => this.until - ago),
            values: () => ['−4 min', '−2 min', ''],
          },
          {
            ...axis,
            size: 46,
            gap: 6,
            space: 34,
            values: (u, splits) => splits.map((value) => (value === 0 ? '0' : this.chart.axis(value))),
          },
        ],
        series: [
          {},
          ...this.chart.lines.map((line) => ({
            stroke: colour(line.colour),
            fill: line.fill ? `${colour(line.colour)}22` : undefined,
            width: 1.5,
            points: { show: false },
          })),
        ],
        hooks: { setCursor: [() => this.tell()] },
      },
      this.data(),
      this.plot,
    );
  }

  data() {
    const shown = this.samples;
    this.until = shown.length ? Date.parse(shown.at(-1).at) / 1000 : 0;
    return [
      shown.map((sample) => Date.parse(sample.at) / 1000),
      ...this.chart.lines.map((line) => shown.map((sample, i) => line.of(sample, shown[i - 1]) ?? null)),
    ];
  }

  show(samples) {
    this.samples = samples;
    this.uplot.setData(this.data());
    this.tell();
  }

  /** The values under the pointer, else the newest. */
  tell() {
    const data = this.uplot.data;
    const at = this.uplot.cursor.idx ?? data[0].length - 1;
    const texts = this.chart.lines.map((line, i) => this.chart.format(data[i + 1][at]));
    texts.forEach((text, i) => setText(this.values[i], text));
    setText(this.note, this.chart.note?.(this.samples.at(-1)) ?? '');
    const summary = this.chart.lines.map((line, i) => `${line.name} ${texts[i]}`).join(', ');
    this.plot.setAttribute('aria-label', `${this.chart.title} over the last five minutes; now ${summary}`);
  }
}
