/* Building blocks of the page: elements, number formats, tables. Text from the report reaches the page through textContent alone. */
(() => {
  'use strict';
  const root = document.documentElement;
  window.addEventListener('error', (event) => {
    if (!root.dataset.error) root.dataset.error = String(event.message || 'a resource failed to load');
  });

  /** An element: attributes by name (`text` is its textContent; null and false are left out), then children. */
  function el(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key === 'text') node.textContent = value;
      else node.setAttribute(key, value === true ? '' : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  const isNumber = (x) => typeof x === 'number' && Number.isFinite(x);
  const valueOf = (interval) => (interval && isNumber(interval.value) ? interval.value : null);
  const kMissing = '–';
  const kMinus = '−';

  function number(x, digits = 0) {
    if (!isNumber(x)) return kMissing;
    const text = Math.abs(x).toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return (x < 0 && Number(x.toFixed(digits)) !== 0 ? kMinus : '') + text.replace(/,/g, '\u202f');
  }

  /** An amount of money with four significant digits and its currency. */
  const money = (x, price) => (isNumber(x) ? `${Number(x.toPrecision(4))}\u00a0${(price && price.currency) || ''}` : kMissing);

  /** A number with a sign. */
  const signed = (x, digits) => (isNumber(x) && Number(x.toFixed(digits)) > 0 ? '+' : '') + number(x, digits);

  /** 0.912 -> "91.2 %". */
  const percent = (x, digits = 1) => (isNumber(x) ? `${number(100 * x, digits)}\u00a0%` : kMissing);

  /** A fraction's difference in percentage points: 0.0012 -> "+0.12". */
  const points = (x, digits = 2) => (isNumber(x) ? signed(100 * x, digits) : kMissing);

  /** 1234567 -> "1.23 M". */
  function count(x) {
    if (!isNumber(x)) return kMissing;
    for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
      if (Math.abs(x) < size) continue;
      const scaled = x / size;
      return `${number(scaled, scaled < 10 ? 2 : scaled < 100 ? 1 : 0)}\u00a0${unit}`;
    }
    return number(x);
  }

  /** "low–high" of an interval in the given format, or null where it has no bounds. */
  function bounds(interval, format) {
    if (!interval || !isNumber(interval.low) || !isNumber(interval.high)) return null;
    return `${format(interval.low)} to ${format(interval.high)}`;
  }
  const bare = (x) => number(100 * x, 1);
  const percentBounds = (interval) => bounds(interval, bare);
  const pointBounds = (interval) => bounds(interval, points);

  /** A table's cell with a value over its interval; `show` formats the value, `range` the interval. */
  function intervalCell(interval, show, range) {
    const text = show(interval ? interval.value : null);
    const span = range(interval);
    return { text, small: span };
  }

  /** columns: [{label, note, numeric}], rows: [[string | {text, small, strong}]]; the first cell of a row is its header. */
  function table(caption, columns, rows, options = {}) {
    const head = el('tr', {}, columns.map((column) => el('th', { scope: 'col', class: column.numeric === false ? null : 'num' },
      column.label, column.note ? el('small', { text: column.note }) : null)));
    const body = rows.map((row, r) => el('tr', { class: options.marked && options.marked(r) ? 'marked' : null },
      row.map((cell, c) => {
        const { text, small, swatch } = typeof cell === 'object' && cell !== null ? cell : { text: cell };
        const attributes = { class: columns[c].numeric === false ? null : 'num' };
        if (c === 0) attributes.scope = 'row';
        return el(c === 0 ? 'th' : 'td', attributes, swatch ? el('i', { class: 'dot', style: `background:var(--c-${swatch})`, 'aria-hidden': 'true' }) : null,
          String(text), small ? el('small', { text: small }) : null);
      })));
    const node = el('table', {}, el('caption', { text: caption, class: options.captionHidden ? 'hidden' : null }), el('thead', {}, head), el('tbody', {}, body));
    return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption }, node);
  }

  function details(summary, ...children) {
    return el('details', {}, el('summary', { text: summary }), ...children);
  }

  function section(id, title, intro, ...children) {
    const node = el('section', { id, 'aria-labelledby': `${id}-title` }, el('h2', { id: `${id}-title`, text: title }),
      intro ? el('p', { class: 'intro', text: intro }) : null, ...children);
    return node;
  }

  /** The methods in the order of the page. The keys are those of the JSON and of the colours in report.css. */
  const methods = [
    { key: 'hybrid', label: 'Hybrid', long: 'Hybrid (the gain router)', dash: [], point: 'circle', shown: true, band: true },
    { key: 'selective_query', label: 'Selective-query router', long: 'Router fitted on oracle labels', dash: [8, 3], point: 'rect', shown: false },
    { key: 'entropy', label: 'Entropy', long: 'Entropy of the base', dash: [5, 3], point: 'triangle', shown: true },
    { key: 'margin', label: 'Margin', long: 'Margin of the top two', dash: [2, 3], point: 'rectRot', shown: true },
    { key: 'max_probability', label: 'Max probability', long: 'Highest probability of the base', dash: [9, 3, 2, 3], point: 'crossRot', shown: false },
    { key: 'upper_bound', label: 'Upper bound', long: 'Upper bound (oracle routing)', dash: [1, 3], point: 'star', shown: true },
  ];
  /** Colours for methods that this page does not know by name. */
  const spare = ['x1', 'x2', 'x3', 'x4', 'x5', 'x6'];
  const others = { energy: 'Energy', on_device: 'On the device', on_cloud: 'In the cloud', early_exit: 'Early exits', split_f32: 'Split, f32', split_int8: 'Split, int8',
    split_computation: 'Split computation', distilled: 'Distilled base', distilled_entropy: 'Distilled, entropy' };
  const titled = (key) => (others[key] || key.replace(/_fused$/, ', fused').replace(/_/g, ' ').replace(/^./, (c) => c.toUpperCase()));
  const dashes = [[], [6, 3], [3, 3], [10, 4], [1, 4], [7, 2, 2, 2]];
  let taken = 0;

  /** The entry of a method, made where it is new. */
  function methodOf(key) {
    const known = methods.find((method) => method.key === key);
    if (known) return known;
    const paint = spare[taken % spare.length];
    const made = { key, label: titled(key), long: titled(key), dash: dashes[taken % dashes.length], point: 'circle', shown: true, paint };
    ++taken;
    methods.splice(methods.length - 1, 0, made);  // before the upper bound
    return made;
  }

  const methodName = (key) => (methods.find((method) => method.key === key) || { label: String(key) }).label;
  const methodColour = (key) => { const method = methods.find((one) => one.key === key); return method ? method.paint || key : null; };

  /** The explorer's columns travel as the bytes of typed arrays; here they become arrays again. */
  function unpack(report) {
    const types = { f32: Float32Array, u32: Uint32Array, u16: Uint16Array };
    for (const [key, column] of Object.entries((report && report.explorer) || {})) {
      if (!column || typeof column.base64 !== 'string' || !types[column.type]) continue;
      const bytes = Uint8Array.from(atob(column.base64), (c) => c.charCodeAt(0));
      report.explorer[key] = Array.from(new types[column.type](bytes.buffer));
    }
    return report;
  }

  window.HedgeReport = { el, isNumber, valueOf, number, money, signed, percent, points, count, bounds, percentBounds, pointBounds,
    intervalCell, table, details, section, methods, methodOf, unpack, methodName, methodColour, kMissing };
})();
