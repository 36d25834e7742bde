/* The sections of the page, each from a part of the report; a section whose part is missing is null. */
(() => {
  'use strict';
  const H = window.HedgeReport;
  const { el, isNumber, valueOf, number, signed, percent, points, count, percentBounds, pointBounds, intervalCell, table, details, section } = H;

  const present = (x) => x !== null && x !== undefined;
  const list = (x) => (Array.isArray(x) ? x.filter(present) : []);
  const inPercent = (x) => number(100 * x, Number.isInteger(Math.round(1e6 * x) / 1e4) ? 0 : 1);
  const curveOf = (report) => list(report.curve).filter((row) => isNumber(row.coverage)).sort((a, b) => a.coverage - b.coverage);
  const methodsOf = (rows) => H.methods.filter((method) => rows.some((row) => valueOf(row[method.key]) !== null));
  const accuracyCell = (interval) => intervalCell(interval, (x) => percent(x, 2), percentBounds);
  const pointsCell = (interval) => intervalCell(interval, points, pointBounds);

  function seriesOf(rows, x, shape = (interval) => interval) {
    return methodsOf(rows).map((method) => ({
      ...method,
      points: rows.filter((row) => valueOf(row[method.key]) !== null && isNumber(row[x]))
        .map((row) => ({ x: row[x], coverage: row.coverage, ...shapePoint(shape(row[method.key], row)) })),
    })).filter((series) => series.points.length);
  }
  const shapePoint = ({ value, low, high, sd }) => ({ y: value, low: isNumber(low) ? low : null, high: isNumber(high) ? high : null, sd: isNumber(sd) ? sd : null });
  const withoutSpread = (interval) => ({ ...interval, sd: null });

  function referencesOf(report, mirrored) {
    const sides = mirrored ? ['right', 'left'] : ['left', 'right'];
    return [['Base only', report.base, sides[0]], ['Cloud only', report.global, sides[1]]]
      .filter(([, model]) => model && valueOf(model.accuracy) !== null)
      .map(([name, model, side]) => ({ label: `${name} ${percent(model.accuracy.value)}`, y: model.accuracy.value, side }));
  }

  /** The chosen operating point as a marker; in MACs where `toMacs` is given. */
  function markersOf(report, toMacs) {
    const point = report.operating_point;
    if (!point) return [];
    const coverage = valueOf(point.coverage) ?? point.target_coverage;
    const accuracy = valueOf(point.accuracy);
    if (!isNumber(coverage) || accuracy === null) return [];
    const x = toMacs ? toMacs(coverage) : coverage;
    if (!isNumber(x)) return [];
    const span = (interval) => (interval && isNumber(interval.low) && isNumber(interval.high) ? [interval.low, interval.high] : null);
    return [{ x, y: accuracy, spanX: toMacs ? null : span(point.coverage), spanY: span(point.accuracy), label: 'Operating point' }];
  }

  /** Mean MACs an image at a coverage, between the curve's rows; null outside them. */
  function macsAt(rows, coverage) {
    const known = rows.filter((row) => isNumber(row.macs));
    for (let i = 0; i + 1 < known.length; ++i) {
      const [a, b] = [known[i], known[i + 1]];
      if (coverage < a.coverage || coverage > b.coverage) continue;
      return a.macs + ((b.macs - a.macs) * (coverage - a.coverage)) / (b.coverage - a.coverage);
    }
    return null;
  }

  function summaryOf(series, rows, x) {
    const parts = series.map((line) => `${line.label} from ${percent(line.points[0].y)} to ${percent(line.points[line.points.length - 1].y)}`);
    return `${x}, coverage from ${percent(rows[0].coverage, 0)} to ${percent(rows[rows.length - 1].coverage, 0)}: ${parts.join('; ')}. The table below has every value.`;
  }

  const accuracyTip = (p) => percent(p.y, 2) + (p.low !== null && p.high !== null ? ` (${percentBounds(p)})` : '');

  function coverageFigure(report, rows) {
    const series = seriesOf(rows, 'coverage', withoutSpread);
    return H.figure({
      title: 'Accuracy against coverage', xTitle: 'Coverage: images answered on the device (%)', yTitle: 'Accuracy (%)',
      caption: 'Further up is better; further right sends fewer images to the cloud. The shaded band is the 95 % interval.',
      summary: summaryOf(series, rows, 'Accuracy against coverage'), series, bandToggle: true,
      xFormat: inPercent, yFormat: inPercent, xMin: rows[0].coverage, xMax: rows[rows.length - 1].coverage,
      references: referencesOf(report, false), markers: markersOf(report),
      tooltipTitle: (p) => `Coverage ${percent(p.coverage, 0)}`, tooltipValue: accuracyTip,
    });
  }

  function macsFigure(report, rows) {
    if (!rows.some((row) => row.macs > 0)) return null;
    const series = seriesOf(rows, 'macs', withoutSpread).map((line) => ({ ...line, shown: line.shown && line.key !== 'upper_bound' }));
    if (!series.length) return null;
    return H.figure({
      title: 'Accuracy against computation', xTitle: 'Mean MACs per image, device and cloud together', yTitle: 'Accuracy (%)',
      caption: 'The same points by cost: base and router run on every image, the global only on queried ones.',
      summary: summaryOf(series, rows, 'Accuracy against mean MACs per image'), series, bandToggle: true,
      xFormat: count, yFormat: inPercent, references: referencesOf(report, true), markers: markersOf(report, (coverage) => macsAt(rows, coverage)),
      tooltipTitle: (p) => `${count(p.x)} MACs, coverage ${percent(p.coverage, 0)}`, tooltipValue: accuracyTip,
    });
  }

  function differenceFigure(report, rows) {
    const usable = rows.filter((row) => valueOf(row.entropy) !== null);
    const series = seriesOf(usable, 'coverage', (interval, row) => ({
      value: 100 * (interval.value - row.entropy.value), sd: isNumber(interval.sd) ? 100 * interval.sd : null,
    })).filter((line) => line.key !== 'entropy').map((line) => ({ ...line, shown: line.key !== 'upper_bound' }));
    if (!series.length) return null;
    const seeds = isNumber(report.seeds) && report.seeds > 1 ? ` Whiskers: one standard deviation over ${number(report.seeds)} router seeds.` : '';
    const columns = [{ label: 'Coverage' }, ...series.map((line) => ({ label: line.label }))];
    const values = usable.map((row) => [percent(row.coverage, 0), ...series.map((line) => {
      const found = line.points.find((p) => p.coverage === row.coverage);
      return found ? signed(found.y, 2) : H.kMissing;
    })]);
    return H.figure({
      title: 'Gain over entropy', xTitle: 'Coverage (%)', yTitle: 'Accuracy minus entropy’s (points)',
      caption: `Accuracy of each method minus that of routing by the base’s entropy, in percentage points.${seeds}`,
      summary: `Difference to entropy in percentage points: ${series.map((line) => `${line.label} at most ${signed(Math.max(...line.points.map((p) => p.y)), 2)}`).join('; ')}. The table below has every value.`,
      series, xFormat: inPercent, yFormat: (y) => signed(y, 2), xMin: usable[0].coverage, xMax: usable[usable.length - 1].coverage,
      references: [{ y: 0 }],
      tooltipTitle: (p) => `Coverage ${percent(p.coverage, 0)}`, tooltipValue: (p) => `${signed(p.y, 2)} points`,
    }, details('Values as a table', table('Accuracy minus entropy’s, in percentage points', columns, values)));
  }

  function curveTable(report, rows) {
    const methods = methodsOf(rows);
    const hasMacs = rows.some((row) => row.macs > 0);
    const price = report.price && isNumber(report.price.per_query) ? report.price : null;
    const columns = [{ label: 'Coverage' }, ...(hasMacs ? [{ label: 'MACs', note: 'mean per image' }] : []), ...(price ? [{ label: 'Price', note: `1000 images, ${price.currency || 'money'}` }] : []), ...methods.map((method) => ({ label: method.label }))];
    const target = report.operating_point && report.operating_point.target_coverage;
    const cells = rows.map((row) => [percent(row.coverage, 0), ...(hasMacs ? [count(row.macs)] : []), ...(price ? [H.money(1000 * (1 - row.coverage) * price.per_query, null)] : []), ...methods.map((method) => accuracyCell(row[method.key]))]);
    const chosen = (r) => isNumber(target) && Math.abs(rows[r].coverage - target) < 1e-9;
    const shaded = rows.some((row, r) => chosen(r)) ? '; shaded: the chosen operating point’s target' : '';
    return table(`Accuracy at each coverage, with 95 % intervals in per cent${shaded}`, columns, cells, { marked: chosen });
  }

  function curves(report) {
    const rows = curveOf(report);
    if (!methodsOf(rows).length) return null;
    return section('curve', 'What a hybrid reaches', 'All curves have the same base and global; only the rule that picks the images to query differs.',
      coverageFigure(report, rows), el('div', { class: 'pair' }, macsFigure(report, rows), differenceFigure(report, rows)), curveTable(report, rows));
  }

  function areas(report) {
    const rows = list(report.areas);
    if (!rows.length) return null;
    const has = (key) => rows.some((row) => valueOf(row[key]) !== null);
    const columns = [{ label: 'Method', numeric: false }, { label: 'Area', note: 'mean accuracy, %' },
      ...(has('to_entropy') ? [{ label: 'Minus entropy', note: 'points, paired' }] : []), ...(has('to_margin') ? [{ label: 'Minus margin', note: 'points, paired' }] : []),
      ...(has('gap_closed_percent') ? [{ label: 'Gap closed', note: 'entropy to upper bound' }] : [])];
    const plain = (digits) => (x) => (isNumber(x) ? `${number(x, digits)}\u00a0%` : H.kMissing);
    const plainBounds = (interval) => H.bounds(interval, (x) => number(x, 1));
    const cells = rows.map((row) => [{ text: H.methodName(row.method), swatch: H.methodColour(row.method) }, accuracyCell(row),
      ...(has('to_entropy') ? [pointsCell(row.to_entropy)] : []), ...(has('to_margin') ? [pointsCell(row.to_margin)] : []),
      ...(has('gap_closed_percent') ? [intervalCell(row.gap_closed_percent, plain(1), plainBounds)] : [])]);
    return section('areas', 'Area under the curve', 'One figure for the whole curve: the accuracy averaged over the coverages. Differences are paired, image by image, so their intervals are narrower than those of the accuracies.',
      table('Areas under the accuracy-coverage curves', columns, cells, { captionHidden: true, marked: (r) => rows[r].method === (report.default_method || 'hybrid') }));
  }

  function promise(report) {
    const point = report.operating_point;
    if (!point) return null;
    const rows = [['Coverage', point.predicted_coverage, point.coverage], ['Accuracy', point.predicted_accuracy, point.accuracy]]
      .filter(([, predicted, measured]) => predicted || measured)
      .map(([name, predicted, measured]) => [name, accuracyCell(predicted), accuracyCell(measured)]);
    const told = [isNumber(point.target_coverage) ? `Target coverage ${percent(point.target_coverage, 0)}.` : '',
      isNumber(point.threshold) ? `Threshold on the router’s score: ${signed(point.threshold, 4)}.` : '',
      point.inside === true ? 'The measured values are inside the intervals that the calibration split predicted.' : '',
      point.inside === false ? 'The measured values are outside the intervals that the calibration split predicted: do not rely on the prediction for data like these.' : ''].filter(Boolean).join(' ');
    const columns = [{ label: 'Figure', numeric: false }, { label: 'Predicted', note: 'calibration split' }, { label: 'Measured', note: 'this split' }];
    return section('promise', 'The operating point', told, rows.length ? table('Predicted and measured at the operating point', columns, rows, { captionHidden: true }) : null, H.promiseFacts(point.promise));
  }

  function reliabilityFigure(name, part) {
    const bins = list(part && part.bins).filter((bin) => isNumber(bin.confidence) && isNumber(bin.accuracy) && bin.count !== 0);
    if (!bins.length) return null;
    const ece = isNumber(part.ece) ? `expected calibration error ${percent(part.ece, 2)}` : 'expected calibration error unknown';
    const columns = [{ label: 'Confidence' }, { label: 'Accuracy' }, { label: 'Images' }];
    const values = bins.map((bin) => [percent(bin.confidence), percent(bin.accuracy), number(bin.count)]);
    const key = name === 'Base' ? 'entropy' : 'hybrid';
    return H.figure({
      square: true, title: `${name}: ${ece}`, xTitle: 'Confidence (%)', yTitle: 'Accuracy (%)', diagonal: true,
      caption: 'On the diagonal, confidence equals accuracy; below it, the model is too sure. Bars: number of images.',
      summary: `Reliability of the ${name.toLowerCase()}: ${ece}, ${bins.length} bins. The table below has every value.`,
      series: [{ key, label: name, dash: [], point: 'circle', shown: true, points: bins.map((bin) => ({ x: bin.confidence, y: bin.accuracy, low: null, high: null, count: bin.count })) }],
      bars: bins.every((bin) => isNumber(bin.count)) ? [{ points: bins.map((bin) => ({ x: bin.confidence, y: bin.count })) }] : undefined,
      xFormat: inPercent, yFormat: inPercent, xMin: 0, xMax: 1, yMin: 0, yMax: 1,
      tooltipTitle: (p) => `Confidence ${percent(p.x)}`, tooltipValue: (p) => `${percent(p.y)} right${isNumber(p.count) ? ` of ${number(p.count)}` : ''}`,
    }, details('Values as a table', table(`Reliability of the ${name.toLowerCase()}`, columns, values)));
  }

  function reliability(report) {
    if (!report.reliability) return null;
    const figures = [reliabilityFigure('Base', report.reliability.base), reliabilityFigure('Cloud', report.reliability.global)].filter(present);
    if (!figures.length) return null;
    return section('reliability', 'Can the confidences be trusted?', null, el('div', { class: 'pair' }, figures));
  }

  Object.assign(H, { present, list, curveOf, methodsOf, macsAt, sections: { curves, areas, promise, reliability } });
})();
