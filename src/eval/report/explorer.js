/* The explorer: every image's score and answers, so that a moved threshold gives exact figures. Works on keys alone: the slider is a
   native one. The section's data-* attributes have the figures as they are, for tests. */
(() => {
  'use strict';
  const H = window.HedgeReport;
  const { el, isNumber, number, signed, percent, points, count, section, list } = H;
  const kMostShown = 24;

  /** {k: images on the device -> counts} in O(1), from rows in ascending score. */
  function tally(explorer) {
    const n = explorer.scores.length;
    const sums = { base: new Uint32Array(n + 1), global: new Uint32Array(n + 1), helped: new Uint32Array(n + 1), hurt: new Uint32Array(n + 1) };
    for (let i = 0; i < n; ++i) {
      const base = explorer.base[i] === explorer.labels[i];
      const global = explorer.global[i] === explorer.labels[i];
      sums.base[i + 1] = sums.base[i] + base;
      sums.global[i + 1] = sums.global[i] + global;
      sums.helped[i + 1] = sums.helped[i] + (global && !base);
      sums.hurt[i + 1] = sums.hurt[i] + (base && !global);
    }
    return sums;
  }

  /** How many images may be on the device: the ends of the runs of equal scores, from none to all. */
  function stops(scores) {
    const ends = [0];
    for (let i = 0; i < scores.length; ++i) if (i + 1 === scores.length || scores[i + 1] !== scores[i]) ends.push(i + 1);
    return ends;
  }

  /** The number of scores <= threshold. */
  function covered(scores, threshold) {
    let [low, high] = [0, scores.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores[middle] <= threshold) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function figuresAt(state, k) {
    const { sums, n } = state;
    const right = sums.base[k] + (sums.global[n] - sums.global[k]);
    return { k, coverage: k / n, accuracy: right / n, queries: n - k, helped: sums.helped[n] - sums.helped[k], hurt: sums.hurt[n] - sums.hurt[k],
      threshold: k > 0 ? state.scores[k - 1] : null };
  }

  function costsOf(report) {
    const costs = [];
    const row = list(report.methods).find((method) => method.name === state0(report)) || {};
    const [base, router, global] = [row.base_macs ?? (report.base || {}).macs, row.router_macs ?? (report.router || {}).macs ?? 0, row.global_macs ?? (report.global || {}).macs];
    if (base > 0 && global > 0) costs.push({ key: 'macs', label: 'MACs, mean per image', fixed: base + router, perQuery: global, show: count });
    const plan = (report.plan || {}).explorer || {};
    const add = (key, label, unit) => {
      const cost = plan[key];
      if (cost && isNumber(cost.fixed) && isNumber(cost.per_query)) costs.push({ key, label, fixed: cost.fixed, perQuery: cost.per_query, show: (x) => `${number(x, x < 10 ? 2 : x < 100 ? 1 : 0)}\u00a0${unit}` });
    };
    const where = report.plan && report.plan.setting ? ` (${report.plan.setting.device.name}, ${report.plan.setting.link.name})` : '';
    add('latency_ms', `Latency, mean${where}`, 'ms');
    add('energy_mj', `Energy, mean${where}`, 'mJ');
    add('measured_ms', 'Latency, both models measured on one machine', 'ms');
    return costs;
  }
  const state0 = (report) => (report.explorer || {}).method || report.default_method || 'hybrid';

  /** What moved between the operating point and here, in words. */
  function movedText(state, from, to) {
    if (from === to) return 'This is the operating point’s threshold: no image has changed sides.';
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    const better = state.sums.helped[high] - state.sums.helped[low];
    const worse = state.sums.hurt[high] - state.sums.hurt[low];
    const images = `${number(high - low)} ${high - low === 1 ? 'image' : 'images'}`;
    return to < from ? `${images} more are sent to the cloud: ${number(better)} become right, ${number(worse)} become wrong.`
      : `${images} more stay on the device: ${number(better)} become wrong, ${number(worse)} become right.`;
  }

  function controls(state, show) {
    const slider = el('input', { type: 'range', id: 'explorer-slider', min: 0, max: state.ends.length - 1, step: 1, 'aria-describedby': 'explorer-moved' });
    const wanted = el('input', { type: 'number', id: 'explorer-coverage', min: 0, max: 100, step: 0.1, inputmode: 'decimal' });
    const back = el('button', { type: 'button', class: 'tool', text: 'Back to the operating point' });
    slider.addEventListener('input', () => show(state.ends[Number(slider.value)]));
    wanted.addEventListener('change', () => {
      const share = Math.min(1, Math.max(0, Number(wanted.value) / 100));
      show(state.ends.find((end) => end >= share * state.n - 1e-9) ?? state.n);
    });
    back.addEventListener('click', () => show(state.start));
    const node = el('div', { class: 'explorer-controls' }, el('label', { for: 'explorer-slider', text: 'Threshold: everything to the cloud … everything on the device' }), slider,
      el('p', {}, el('label', { for: 'explorer-coverage', text: 'Coverage in % ' }), wanted, ' ', back));
    return { node, slider, wanted };
  }

  /** Evenly at most `most` of what lies between the two thresholds. */
  function passedImages(state, images, from, to) {
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    const passed = images.filter((image) => isNumber(image.score) && (high === 0 ? false : image.score <= state.scores[high - 1]) && (low === 0 || image.score > state.scores[low - 1]));
    if (passed.length <= kMostShown) return passed;
    return Array.from({ length: kMostShown }, (_, i) => passed[Math.floor((i * passed.length) / kMostShown)]);
  }

  function plotOf(report, state) {
    const step = Math.max(1, Math.ceil(state.ends.length / 400));
    const ends = state.ends.filter((_, i) => i % step === 0 || i === state.ends.length - 1);
    const shown = ends.map((k) => figuresAt(state, k)).map((f) => ({ x: f.coverage, y: f.accuracy, low: null, high: null }));
    const method = H.methods.find((m) => m.key === state0(report)) || { key: 'hybrid', label: 'Hybrid' };
    return { title: 'Accuracy as the threshold moves', xTitle: 'Coverage: images answered on the device (%)', yTitle: 'Accuracy (%)',
      caption: 'The accuracy at each threshold on these images; the diamond marks the slider’s threshold.',
      summary: `Accuracy against coverage at every threshold, from ${percent(shown[0].y)} at coverage 0 to ${percent(shown[shown.length - 1].y)} at 100 %. The slider below moves along it.`,
      series: [{ ...method, dash: [], point: 'circle', shown: true, band: false, plain: true, points: shown }], markers: [], xMin: 0, xMax: 1,
      xFormat: (x) => number(100 * x, 0), yFormat: (y) => number(100 * y, 1), tooltipTitle: (p) => `Coverage ${percent(p.x)}`, tooltipValue: (p) => percent(p.y, 2) };
  }

  function explorer(report, imageCard) {
    const data = report.explorer;
    if (!data || !data.scores || !data.scores.length) return null;
    const scores = Float32Array.from(data.scores);
    const state = { scores, n: scores.length, sums: tally(data), ends: stops(scores), start: 0 };
    const threshold = report.operating_point && report.operating_point.threshold;
    state.start = isNumber(threshold) ? covered(scores, Math.fround(threshold)) : state.ends.find((end) => end >= 0.8 * state.n);
    const costs = costsOf(report);
    const cell = (label) => ({ label, value: el('strong', {}), note: el('span', {}) });
    const cells = ['Accuracy', 'Coverage', 'Threshold', ...costs.map((cost) => cost.label)].map(cell);
    const cards = el('dl', { class: 'cards' }, cells.map((c) => el('div', { class: 'card' }, el('dt', { text: c.label }), el('dd', {}, c.value, c.note))));
    const moved = el('p', { id: 'explorer-moved', role: 'status', 'aria-live': 'polite' });
    const gallery = el('ul', { class: 'gallery', 'aria-label': 'Images that change sides' });
    const plot = plotOf(report, state);
    const node = section('explorer', 'Move the threshold', null);
    const show = (k) => {
      const at = figuresAt(state, k);
      const start = figuresAt(state, state.start);
      Object.assign(node.dataset, { accuracy: at.accuracy, coverage: at.coverage, queries: at.queries, helped: at.helped, hurt: at.hurt, threshold: at.threshold ?? 'none' });
      const put = (i, value, note) => { cells[i].value.textContent = value; cells[i].note.textContent = note || ''; };
      put(0, percent(at.accuracy, 2), k === state.start ? '' : `${points(at.accuracy - start.accuracy)} points against the operating point`);
      put(1, percent(at.coverage), `${number(at.queries)} of ${number(state.n)} sent: the cloud helps ${number(at.helped)}, hurts ${number(at.hurt)}`);
      put(2, at.threshold === null ? 'below all' : signed(at.threshold, 4), 'images with a higher score are sent');
      costs.forEach((cost, i) => {
        const value = cost.fixed + (1 - at.coverage) * cost.perQuery;
        node.dataset[cost.key] = value;
        put(3 + i, cost.show(value), `${cost.show(cost.fixed)} always, ${cost.show(cost.perQuery)} per query`);
      });
      const index = state.ends.indexOf(k);
      bar.slider.value = String(index);
      bar.slider.setAttribute('aria-valuetext', `${percent(at.coverage)} on the device, accuracy ${percent(at.accuracy, 2)}`);
      bar.wanted.value = (100 * at.coverage).toFixed(1);
      moved.textContent = movedText(state, state.start, k);
      const passed = passedImages(state, list(report.explorer_pictures), state.start, k);
      node.dataset.shown = passed.length;
      gallery.replaceChildren(...passed.map(imageCard));
      plot.markers = [{ x: at.coverage, y: at.accuracy, spanX: null, spanY: null, label: `${percent(at.coverage, 0)} on the device` }];
      H.redraw(plot);
    };
    const bar = controls(state, show);
    const spread = data.pictures > state.n ? ` ${number(state.n)} of the ${number(data.pictures)} images are listed, evenly over the scores.` : '';
    node.append(el('p', { class: 'intro', text: `Drag the threshold, or move it with the arrow keys: every figure is computed again over ${number(state.n)} images, and the images whose answer now comes from the other side are shown.${spread}` }),
      H.figure(plot), bar.node, cards, moved, gallery);
    show(state.start);
    return node;
  }

  Object.assign(H, { explorer });
})();
