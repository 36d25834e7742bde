/* Sections that judge: methods, choice, pairs, classes, abstaining, fused answers, promises. Each is null where the report has no such part. */
(() => {
  'use strict';
  const H = window.HedgeReport;
  const { isNumber, valueOf, number, signed, percent, points, count, percentBounds, pointBounds, intervalCell, table, details, section, present, list, el } = H;

  const accuracyCell = (interval) => intervalCell(interval, (x) => percent(x, 2), percentBounds);
  const pointsCell = (interval) => intervalCell(interval, points, pointBounds);
  const plainPercent = (interval) => intervalCell(interval, (x) => (isNumber(x) ? `${number(x, 1)}\u00a0%` : H.kMissing), (i) => H.bounds(i, (x) => number(x, 1)));
  const macs = (x) => (isNumber(x) ? (x === 0 ? '0' : count(x)) : H.kMissing);
  const named = (key) => ({ text: H.methodName(key), swatch: H.methodColour(key) });
  const column = (label, note) => ({ label, note });
  const words = (label) => ({ label, numeric: false });
  const kinds = { router: 'router', fused: 'fused answers', pair: 'other models', free_score: 'free score', upper_bound: 'upper bound' };

  function methods(report) {
    const rows = list(report.methods);
    if (!rows.length) return null;
    const gap = (name) => (list(report.areas).find((area) => area.method === name) || {}).gap_closed_percent;
    const cells = rows.map((row) => [named(row.name), kinds[row.kind] || row.kind || '', row.router || '', macs(row.router_macs), percent(row.base_accuracy), percent(row.global_accuracy),
      isNumber(row.seeds) ? number(row.seeds) : H.kMissing, plainPercent(gap(row.name)), { text: row.protocol || '' }]);
    return section('methods', 'The methods', 'What decides for each image, what deciding costs per image, and which data it learned from. A free score needs only the base’s probabilities and is not fitted.',
      table('Methods', [words('Method'), words('Kind'), words('Router'), column('Router cost', 'MACs an image'), column('Its base'), column('Its cloud'), column('Seeds'), column('Gap closed', 'entropy to upper bound'),
        words('Router’s data')], cells, { captionHidden: true, marked: (r) => rows[r].name === report.default_method }));
  }

  function choice(report) {
    const chosen = report.choice;
    if (!chosen) return null;
    const rows = list(chosen.candidates).map((one) => [H.methodName(one.name), macs(one.macs), plainPercent(one.gap_closed_percent)]);
    return section('choice', `The choice of “auto”: ${H.methodName(chosen.chosen || '')}`, chosen.why || null, rows.length
      ? table('Candidates on held-out predictions', [words('Candidate'), column('Cost', 'MACs per image'), column('Gap closed', 'held-out predictions')], rows, { marked: (r) => list(chosen.candidates)[r].name === chosen.chosen }) : null);
  }

  function paired(report) {
    const part = report.paired;
    const rows = list(part && part.rows);
    if (!rows.length) return null;
    const at = list(part.coverages);
    const cells = rows.map((row) => [`${H.methodName(row.a)} − ${H.methodName(row.b)}`, pointsCell(row.area), ...at.map((_, i) => pointsCell(list(row.at)[i]))]);
    const about = (row) => row.a === report.default_method || row.b === report.default_method;
    const columns = [words('Difference'), column('Area', 'points'), ...at.map((c) => column(percent(c, 0), 'coverage, points'))];
    const pick = (wanted) => cells.filter((_, r) => wanted(rows[r]));
    const others = pick((row) => !about(row));
    return section('paired', 'Methods against each other', 'Differences in accuracy, in percentage points, on the same resampled images. Two methods differ where the interval does not contain zero.',
      pick(about).length ? table('The default method against the others', columns, pick(about)) : null,
      others.length ? details('All other pairs', table('Other pairs', columns, others)) : null);
  }

  function balancedCards(balanced) {
    const cards = [['Base', balanced.base, accuracyCell], ['Cloud', balanced.global, accuracyCell], ['Hybrid', balanced.hybrid, accuracyCell], ['Hybrid minus base', balanced.hybrid_over_base, pointsCell],
      ['Hybrid to cloud', balanced.hybrid_over_global, pointsCell]].filter(([, interval]) => valueOf(interval) !== null);
    return el('dl', { class: 'cards' }, cards.map(([name, interval, cell]) => {
      const { text, small } = cell(interval);
      return el('div', { class: 'card' }, el('dt', { text: `${name}, balanced` }), el('dd', {}, el('strong', { text }), small ? el('span', { text: `95 %: ${small}` }) : null));
    }));
  }

  function perClass(report) {
    const part = report.per_class;
    const rows = list(part && part.rows).filter((row) => row.pictures > 0);
    if (!rows.length) return null;
    const name = (index) => (report.classes || [])[index] ?? `class ${index}`;
    const ordered = [...rows].sort((a, b) => (b.helped - b.hurt) - (a.helped - a.hurt));
    const cells = ordered.map((row) => [String(name(row.class)), number(row.pictures), percent(row.base), percent(row.global), percent(row.hybrid), percent(row.coverage, 0), number(row.helped), number(row.hurt), pointsCell(row.over_base)]);
    const columns = [words('Class'), column('Images'), column('Base'), column('Cloud'), column('Hybrid'), column('Coverage'), column('Helped', 'queries'), column('Hurt', 'queries'), column('To base', 'points')];
    const shown = table('Help and harm, class by class', columns, cells);
    const where = isNumber(part.coverage) ? ` At ${percent(part.coverage)} coverage.` : '';
    return section('classes', 'Which classes it helps and hurts', `Helped: the base was wrong and the hybrid’s answer is right. Hurt: the reverse. Balanced accuracy gives each class the same weight, however many images it has.${where}`,
      part.balanced ? balancedCards(part.balanced) : null, cells.length > 30 ? details(`All ${number(cells.length)} classes`, shown) : shown);
  }

  function riskFigure(rows, names) {
    const series = names.map((key) => ({ ...H.methodOf(key), band: false,
      points: rows.filter((row) => isNumber(row[key]) && isNumber(row.coverage)).map((row) => ({ x: row.coverage, y: row[key], low: null, high: null })) })).filter((line) => line.points.length);
    if (!series.length) return null;
    return H.figure({ title: 'Risk against coverage', xTitle: 'Coverage: images answered at all (%)', yTitle: 'Wrong among the answered (%)',
      caption: 'Lower is better: the share of wrong answers among the images that are answered.',
      summary: `Risk against coverage of ${series.map((line) => `${line.label}, ${percent(line.points[line.points.length - 1].y)} where all are answered`).join('; ')}.`,
      series, xMin: 0, xMax: 1, xFormat: (x) => number(100 * x, 0), yFormat: (y) => number(100 * y, 1), tooltipTitle: (p) => `Coverage ${percent(p.x, 0)}`, tooltipValue: (p) => percent(p.y, 2) });
  }

  function abstaining(report) {
    const part = report.abstention;
    const rows = list(part && part.methods);
    if (!rows.length) return null;
    const at = list(part.coverages);
    const perMille = (interval) => intervalCell(interval, (x) => (isNumber(x) ? number(1000 * x, 1) : H.kMissing), (i) => H.bounds(i, (x) => number(1000 * x, 1)));
    const cells = rows.map((row) => [named(row.method), ...at.map((_, i) => accuracyCell(list(row.at)[i])), perMille(row.aurc), perMille(row.e_aurc)]);
    const columns = [words('Score'), ...at.map((c) => column(`At ${percent(c, 0)}`, 'accuracy on the answered')), column('AURC', 'per mille'), column('Excess', 'per mille, over the best order')];
    return section('abstaining', 'Without a cloud: answering or abstaining', 'The same scores without a global: the images with the highest scores get no answer.',
      riskFigure(list(part.curve), rows.map((row) => row.method)), table('Accuracy on the answered, and the area under the risk-coverage curve', columns, cells));
  }

  function fusion(report) {
    const part = report.fusion;
    if (!part) return null;
    const facts = [['Used', part.adopted === true ? 'yes' : part.adopted === false ? 'no' : null], ['Why', part.why], ['Gain on the images it was fitted on (cross-fitted)', valueOf(part.held_out_gain) !== null ? `${points(part.held_out_gain.value)} points (${pointBounds(part.held_out_gain) || ''})` : null],
      ['Gain here', valueOf(part.test_gain) !== null ? `${points(part.test_gain.value)} points (${pointBounds(part.test_gain) || ''})` : null], ['Classes of the answer', part.top_k], ['Weights of base and cloud', isNumber(part.base_weight) && isNumber(part.global_weight) ? `${number(part.base_weight, 3)} and ${number(part.global_weight, 3)}` : null],
      ['Bytes of an answer', part.bytes_a_query], ['Fitted on', part.dataset]].filter(([, value]) => present(value) && value !== '');
    return section('fusion', 'Fused answers', 'The answer to a query is computed from the logits of both models: the device still has the base’s when the global’s arrive. The curve is named “fused”.',
      el('dl', { class: 'facts' }, facts.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', { text: String(value) })))));
  }

  /** A promise of the operating point as facts, for the section that shows it. */
  function promiseFacts(part) {
    if (!part) return null;
    const what = { coverage: 'coverage at least', accuracy: 'hybrid accuracy at least', risk: 'wrong among the covered at most' }[part.kind] || part.kind;
    const exact = part.exact || {};
    const facts = [['Promise', `${what} ${percent(part.target, 2)}, with ${percent(1 - part.delta, 0)} confidence`], ['Bound', isNumber(part.pictures) ? `${percent(part.bound, 2)}, from ${number(part.pictures)} calibration images` : null],
      ['Without the promise', isNumber(exact.coverage) ? `coverage ${percent(exact.coverage, 2)}, accuracy ${percent(exact.accuracy, 2)}` : null],
      ['Cost of the promise', isNumber(part.accuracy_given_up) ? `${signed(100 * part.accuracy_given_up, 2)} points of accuracy, ${signed(100 * (part.coverage_given_up ?? 0), 2)} of coverage` : null],
      ['Measured here', isNumber(part.measured) ? `${percent(part.measured, 2)}: ${part.kept ? 'kept' : 'not kept on these images'}` : null]].filter(([, value]) => value);
    return el('dl', { class: 'facts' }, facts.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', { text: value }))));
  }

  function baselines(report) {
    const rows = list(report.baselines && report.baselines.rows);
    if (!rows.length) return null;
    const places = { 'edge-cloud': 'device and cloud', device: 'device', cloud: 'cloud' };
    const cells = rows.map((row) => [{ ...named(row.name), small: row.variant || null }, places[row.where] || row.where || '', percent(row.coverage, 0), accuracyCell(row.accuracy), pointsCell(row.to_hybrid), macs(row.device_macs), macs(row.cloud_macs),
      isNumber(row.bytes_sent) ? number(row.bytes_sent) : H.kMissing]);
    const columns = [words('Method'), words('Where'), column('Coverage'), column('Accuracy'), column('To the hybrid', 'points, paired'), column('Device', 'MACs'), column('Cloud', 'MACs, mean'), column('Sent', 'bytes, mean')];
    return section('baselines', 'Other ways of sharing the work', 'Trained, judged and costed on the same images as the hybrid.', details('All rows', table('Baselines', columns, cells)));
  }

  Object.assign(H.sections, { methods, choice, paired, perClass, abstaining, fusion, baselines });
  Object.assign(H, { promiseFacts });
})();
