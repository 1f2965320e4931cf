// Draws the panels of a dashboard from a live Prometheus, without Grafana, as one HTML page: for the picture in README.md.
//
//   node panels.mjs PROMETHEUS_URL DASHBOARD.json MINUTES >panels.html
//
// `docs/pictures/make.sh` takes the picture of it.
import fs from 'node:fs';

const [url, file, minutes] = process.argv.slice(2);
const board = JSON.parse(fs.readFileSync(file, 'utf8'));
const end = Date.now() / 1000;
const start = end - Number(minutes) * 60;
const step = (end - start) / 240;
const palette = ['#7eb26d', '#eab839', '#6ed0e0', '#ef843c', '#e24d42', '#1f78c1', '#ba43a9', '#705da0', '#508642', '#cca300'];
const named = { green: '#73bf69', yellow: '#fade2a', red: '#f2495c', blue: '#5794f2' };

const fill = (query) =>
  query.replaceAll('$job', '.+').replaceAll('$instance', '.+').replaceAll('$__rate_interval', '6s').replaceAll('$__range', `${minutes}m`);
const query = async (path, parameters) => {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  if (body.status !== 'success') throw new Error(`${parameters.query}: ${body.error}`);
  return body.data.result;
};
const name = (target, metric) => target.legendFormat.replace(/{{(\w+)}}/g, (_, label) => metric[label] ?? '');
const round = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2));
const units = {
  s: (v) => (v < 1 ? `${round(v * 1000)} ms` : `${round(v)} s`),
  percentunit: (v) => `${round(v * 100)} %`,
  reqps: (v) => `${round(v)} req/s`,
  ops: (v) => `${round(v)} /s`,
};
const shown = (panel, value) => (units[panel.fieldConfig.defaults.unit] ?? round)(value);
const escape = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

async function series(panel) {
  const all = [];
  for (const target of panel.targets) {
    const query = fill(target.expr);
    const result = target.instant
      ? (await query('query', { query })).map((it) => ({ metric: it.metric, values: [it.value] }))
      : await query('query_range', { query, start, end, step });
    for (const it of result) {
      const values = it.values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => Number.isFinite(value));
      if (values.length) all.push({ name: name(target, it.metric), values });
    }
  }
  return all;
}

const color = (panel, it, index) => {
  const fixed = panel.fieldConfig.overrides.find((o) => o.matcher.options === it.name);
  return fixed ? named[fixed.properties[0].value.fixedColor] : palette[index % palette.length];
};
const step_color = (panel, value) => {
  const steps = panel.fieldConfig.defaults.thresholds.steps.filter((s) => s.value === null || value >= s.value);
  return named[steps.at(-1).color];
};

function lines(panel, all, w, h) {
  const stacked = panel.fieldConfig.defaults.custom.stacking.mode === 'normal';
  const base = new Map();
  const drawn = all.map((it, index) => ({
    color: color(panel, it, index),
    points: it.values.map(([at, value]) => {
      const key = Math.round((at - start) / step);
      const under = stacked ? (base.get(key) ?? 0) : 0;
      if (stacked) base.set(key, under + value);
      return [at, under + value, under];
    }),
  }));
  const top = Math.max(1e-9, ...drawn.flatMap((it) => it.points.map((p) => p[1]))) * 1.1;
  const x = (at) => 62 + ((at - start) / (end - start)) * (w - 72);
  const y = (value) => h - 24 - (value / top) * (h - 34);
  let svg = '';
  for (const part of [0, 0.5, 1]) {
    const at = start + part * (end - start);
    const anchor = ['start', 'middle', 'end'][part * 2];
    svg += `<text x="${x(at)}" y="${h - 8}" text-anchor="${anchor}">${new Date(at * 1000).toISOString().slice(11, 19)}</text>`;
    svg += `<line x1="62" x2="${w - 10}" y1="${y(top * part)}" y2="${y(top * part)}" stroke="#333"/>`;
    svg += `<text x="56" y="${y(top * part) + 4}" text-anchor="end">${shown(panel, top * part)}</text>`;
  }
  if (panel.fieldConfig.defaults.custom.thresholdsStyle.mode !== 'off') {
    for (const s of panel.fieldConfig.defaults.thresholds.steps.filter((s) => s.value !== null && s.value < top)) {
      svg += `<line x1="62" x2="${w - 10}" y1="${y(s.value)}" y2="${y(s.value)}" stroke="${named[s.color]}" stroke-dasharray="6 4"/>`;
    }
  }
  for (const it of drawn) {
    const line = it.points.map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(' ');
    if (stacked) {
      const under = it.points.toReversed().map((p) => `${x(p[0]).toFixed(1)},${y(p[2]).toFixed(1)}`).join(' ');
      svg += `<polygon points="${line} ${under}" fill="${it.color}" fill-opacity="0.6"/>`;
    }
    svg += `<polyline points="${line}" fill="none" stroke="${it.color}" stroke-width="1.5"/>`;
  }
  return svg;
}

function dial(panel, all, w, h) {
  const value = all[0]?.values.at(-1)[1] ?? 0;
  const most = panel.fieldConfig.defaults.max;
  const arc = (from, to, r, colour, width) => {
    const at = (part) => [w / 2 - r * Math.cos(Math.PI * part), h - 50 - r * Math.sin(Math.PI * part)];
    return `<path d="M${at(from)} A${r} ${r} 0 0 1 ${at(to)}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
  };
  const steps = panel.fieldConfig.defaults.thresholds.steps;
  const ring = steps.map((s, i) => arc((s.value ?? 0) / most, (steps[i + 1]?.value ?? most) / most, 118, named[s.color], 6));
  return `${arc(0, 1, 98, '#333', 26)}${arc(0, Math.min(1, value / most), 98, step_color(panel, value), 26)}${ring.join('')}
    <text x="${w / 2}" y="${h - 52}" text-anchor="middle" style="font-size:38px" fill="${step_color(panel, value)}">${shown(panel, value)}</text>`;
}

function bars(panel, all, w) {
  const most = Math.max(...all.map((it) => it.values.at(-1)[1]), 1e-9);
  return all
    .toSorted((a, b) => b.values.at(-1)[1] - a.values.at(-1)[1])
    .slice(0, 7)
    .map((it, row) => {
      const value = it.values.at(-1)[1];
      return `<text x="150" y="${row * 30 + 24}" text-anchor="end">${escape(it.name)}</text>
        <rect x="160" y="${row * 30 + 8}" width="${Math.max(2, (value / most) * (w - 270))}" height="22" fill="${step_color(panel, value)}"/>
        <text x="${w - 10}" y="${row * 30 + 24}" text-anchor="end">${shown(panel, value)}</text>`;
    })
    .join('');
}

function pie(all, h) {
  const total = all.reduce((sum, it) => sum + it.values.at(-1)[1], 0);
  let from = 0;
  return all
    .toSorted((a, b) => b.values.at(-1)[1] - a.values.at(-1)[1])
    .map((it, index) => {
      const share = it.values.at(-1)[1] / total;
      const at = (part) => [140 + 90 * Math.sin(2 * Math.PI * part), h / 2 - 90 * Math.cos(2 * Math.PI * part)];
      const [a, b] = [at(from), at(Math.min(from + share, 0.99999))];
      const path = `<path d="M140 ${h / 2} L${a} A90 90 0 ${share > 0.5 ? 1 : 0} 1 ${b} Z" fill="${palette[index % palette.length]}"/>
        <rect x="270" y="${28 + index * 24}" width="12" height="12" fill="${palette[index % palette.length]}"/>
        <text x="290" y="${39 + index * 24}">${escape(it.name)}, ${round(share * 100)} %</text>`;
      from += share;
      return path;
    })
    .join('');
}

let page = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; width: 1200px; background: #111217; color: #ccccdc; font: 13px sans-serif; position: relative }
  h1 { font-size: 17px; margin: 0; padding: 12px 16px }
  section { position: absolute; background: #181b1f; border: 1px solid #2c3235; box-sizing: border-box; overflow: hidden }
  h2 { font-size: 13px; font-weight: 600; margin: 8px 10px 2px } svg text { fill: #ccccdc; font: 11px sans-serif }
  p { margin: 0 10px; font-size: 11px } i { display: inline-block; width: 10px; height: 3px; margin: 0 4px 3px 8px }
</style><h1>${escape(board.title)}</h1>`;
let bottom = 0;
for (const panel of board.panels.filter((it) => it.type !== 'row')) {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * 50 - 8, h * 34 - 8];
  const found = await series(panel);
  // Lines that stay at nothing would take colours and room in the legend from those that do not.
  const moving = panel.type === 'timeseries' ? found.filter((it) => it.values.some(([, value]) => value > 0)) : found;
  const all = moving.length ? moving : found.slice(0, 1);
  const inner = height - 58;
  const picture = { timeseries: lines, gauge: dial, bargauge: bars }[panel.type]?.(panel, all, width, inner) ?? pie(all, inner);
  const legend = panel.type === 'timeseries' ? all.map((it, i) => `<i style="background:${color(panel, it, i)}"></i>${escape(it.name)}`).join('') : '';
  page += `<section style="left:${x * 50 + 4}px;top:${y * 34 + 44}px;width:${width}px;height:${height}px"><h2>${escape(panel.title)}</h2>
    <svg width="${width}" height="${inner}">${picture}</svg><p>${legend}</p></section>`;
  bottom = Math.max(bottom, (y + h) * 34 + 48);
}
console.log(`${page}<div style="height:${bottom - 44}px"></div>`);
