/* What it costs: accuracy against latency and energy in the plan's setting, and against measured latency; the order of methods beside the paper's. */
(() => {
  'use strict';
  const H = window.HedgeReport;
  const { el, isNumber, number, percent, percentBounds, table, section, details, list } = H;

  const label = (line) => H.methodName(line.name) + (line.variant ? ` (${line.variant})` : '');
  const time = (x) => `${number(x, x < 10 ? 2 : x < 100 ? 1 : 0)}`;

  /** A line a name: of several variants the best points by x (nothing to the left is as good), so that twenty cut tensors are one line. */
  function seriesOf(plan, key) {
    const names = [...new Set(list(plan.lines).map((line) => line.name))];
    return names.map((name) => {
      const lines = list(plan.lines).filter((line) => line.name === name);
      let points = lines.flatMap((line) => list(line.points).filter((p) => isNumber(p[key]) && isNumber(p.accuracy)).map((p) => ({ x: p[key], y: p.accuracy, low: p.low ?? null, high: p.high ?? null, coverage: p.coverage, variant: line.variant })));
      points.sort((a, b) => a.x - b.x || b.y - a.y);
      if (lines.length > 1) points = points.filter((p, i) => points.slice(0, i).every((q) => q.y < p.y));
      const method = H.methodOf(name);
      return { ...method, band: method.band, scatter: points.length === 1, points, shown: name === 'on_device' || name === 'on_cloud' ? true : method.shown };
    }).filter((line) => line.points.length);
  }

  function figureOf(plan, key, title, xTitle, caption) {
    const series = seriesOf(plan, key);
    if (series.length < 2) return null;
    const summary = `${title}: ${series.map((line) => `${line.label} from ${time(line.points[0].x)} (${percent(line.points[0].y)}) to ${time(line.points[line.points.length - 1].x)} (${percent(line.points[line.points.length - 1].y)})`).join('; ')}.`;
    const rows = series.flatMap((line) => line.points.map((p) => [line.label + (p.variant ? ` (${p.variant})` : ''), percent(p.coverage, 0), time(p.x), { text: percent(p.y, 2), small: percentBounds(p) }]));
    const values = details('Values as a table', table(title, [{ label: 'Method', numeric: false }, { label: 'Coverage' }, { label: xTitle }, { label: 'Accuracy' }], rows));
    return H.figure({ title, xTitle, yTitle: 'Accuracy (%)', caption, summary, series, bandToggle: true, xFormat: time, yFormat: (y) => number(100 * y, 1),
      tooltipTitle: (p) => `${time(p.x)}, coverage ${percent(p.coverage, 0)}`, tooltipValue: (p) => percent(p.y, 2) + (p.low !== null && p.high !== null ? ` (${percentBounds(p)})` : '') }, values);
  }

  function ranking(rows) {
    return list(rows).map((row, i) => `${i + 1}. ${H.methodName(row.name)} ${percent(row.accuracy)}${isNumber(row.low) && isNumber(row.high) ? ` (${percentBounds(row)})` : ''}`).join('\n');
  }

  function orderTable(order) {
    const rows = list(order && order.rows);
    if (!rows.length) return null;
    const lines = (text) => text.split('\n').map((line) => el('div', { text: line }));
    const head = el('tr', {}, ['Latency, as a share of the way from base to cloud', 'Here', 'In the paper'].map((text) => el('th', { scope: 'col', text })));
    const body = rows.map((row) => el('tr', {}, el('th', { scope: 'row' }, percent(row.relative, 0), el('small', { text: `${time(row.latency_ms)} ms here, ${number(row.poster_latency_ms)} ms there` })), el('td', {}, lines(ranking(row.here))), el('td', {}, lines(ranking(row.poster)))));
    return el('div', { class: 'scroll wrapped', tabindex: '0', role: 'region', 'aria-label': 'The order of methods' },
      el('table', {}, el('caption', { text: 'The order of methods at the same relative latency, best first' }), el('thead', {}, head), el('tbody', {}, body)));
  }

  function setting(plan) {
    const part = plan.setting || {};
    const facts = ['device', 'link', 'cloud'].filter((key) => part[key]).map((key) => [key[0].toUpperCase() + key.slice(1), `${part[key].name}: ${part[key].about}. ${part[key].source}.`]);
    if (isNumber(plan.query_bytes) && plan.query_bytes > 0) facts.push(['A query', `${number(plan.query_bytes)} bytes`]);
    if (plan.price) facts.push(['Price of a query', H.money(plan.price.per_query, plan.price)]);
    if (plan.measured) facts.push(['Measured', `${plan.measured.executor}: base ${number(plan.measured.base_ms, 3)} ms, router ${number(plan.measured.router_ms, 3)} ms, global ${number(plan.measured.global_ms, 3)} ms per image`]);
    return el('dl', { class: 'facts' }, facts.map(([name, text]) => el('div', {}, el('dt', { text: name }), el('dd', { text }))));
  }

  function plan(report) {
    const part = report.plan;
    if (!part || !list(part.lines).length) return null;
    const price = part.price && isNumber(part.price.per_query) ? part.price : null;
    const figures = [price && figureOf(part, 'price', 'Accuracy against price', `Price of 1000 images (${price.currency || 'money'})`, `${H.money(price.per_query, price)} for each image that is sent; what the device answers costs nothing here.`),
      figureOf(part, 'latency_ms', 'Accuracy against latency', 'Mean latency (ms)', 'Device, link and cloud together: latency = device + share sent × (link + cloud).'),
      figureOf(part, 'energy_mj', 'Accuracy against energy', 'Mean energy on the device (mJ)', 'Energy that an image takes from the device: computing, sending, waiting.'),
      figureOf(part, 'macs', 'On one device: accuracy against computation', 'Mean MACs per image (both models)', 'Both models run on one device, so all MACs count the same.'),
      figureOf(part, 'measured_ms', 'On one device: accuracy against measured latency', 'Mean latency (ms), both models on one machine', 'Base, router and the queried share of the global, each timed with one image at a time.')].filter(Boolean);
    if (!figures.length) return null;
    const pairs = [];
    for (let i = 0; i < figures.length; i += 2) pairs.push(el('div', { class: 'pair' }, figures.slice(i, i + 2)));
    return section('plan', 'What it costs', 'Estimated latency, energy and price of the same methods in one setting of device, link and cloud. “hedge plan” computes other settings.', ...pairs, orderTable(part.order), setting(part));
  }

  Object.assign(H.sections, { plan });
})();
