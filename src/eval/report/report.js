/* Reads the report from the page, puts the sections in their order, draws the plots. When all is done, <html> has
   data-ready="true" and data-charts, the number of plots; an uncaught error leaves data-error instead. */
(() => {
  'use strict';
  const H = window.HedgeReport;
  const { el, isNumber, valueOf, number, percent, points, count, percentBounds, pointBounds, table, section, list } = H;
  const root = document.documentElement;
  const report = H.unpack(JSON.parse(document.getElementById('report-data').textContent));
  const main = document.getElementById('main');

  function meta() {
    const parts = [report.dataset, report.split && `${report.split} split`, isNumber(report.pictures) && `${number(report.pictures)} images`,
      list(report.classes).length && `${list(report.classes).length} classes`].filter(Boolean);
    document.getElementById('meta').textContent = parts.join(' · ');
  }

  function badges() {
    const point = report.operating_point || {};
    const add = (kind, mark, text) => document.getElementById('badges').append(el('li', { class: kind }, el('b', { 'aria-hidden': 'true', text: mark }), text));
    const compare = (name, difference) => {
      if (!difference || !isNumber(difference.low) || !isNumber(difference.high)) return;
      if (difference.low > 0) add('good', '✓', `Better than ${name} with 95 % confidence`);
      else if (difference.high < 0) add('bad', '!', `Worse than ${name}, 95 % sure`);
      else add('plain', '=', `Not told apart from ${name}`);
    };
    if (point.inside === true) add('good', '✓', 'Measured inside the predicted interval');
    if (point.inside === false) add('bad', '!', 'Measured outside the predicted interval');
    compare('entropy', report.area_difference_to_entropy);
    compare('margin', (list(report.areas).find((row) => row.method === (report.default_method || 'hybrid')) || {}).to_margin);
    const live = report.live;
    if (live && isNumber(live.answered) && isNumber(live.total)) {
      const all = live.answered === live.total;
      add(all ? 'good' : 'bad', all ? '✓' : '!', all ? 'Every image of the live run answered' : `${number(live.total - live.answered)} images of the live run unanswered`);
    }
  }

  function card(label, value, ...lines) {
    if (value === H.kMissing) return null;
    return el('div', { class: 'card' }, el('dt', { text: label }), el('dd', {}, el('strong', { text: value }), lines.filter(Boolean).map((line) => el('span', { text: line }))));
  }

  function modelCard(label, model) {
    if (!model) return null;
    const range = percentBounds(model.accuracy);
    return card(label, percent(valueOf(model.accuracy)), range && `95 %: ${range}`, model.macs > 0 && `${count(model.macs)} MACs`,
      model.parameters > 0 && `${count(model.parameters)} parameters`, model.name);
  }

  function hybridCard() {
    const point = report.operating_point;
    if (!point) return null;
    const coverage = valueOf(point.coverage) ?? point.target_coverage;
    const range = percentBounds(point.accuracy);
    return card('Hybrid accuracy', percent(valueOf(point.accuracy)), range && `95 %: ${range}`, isNumber(coverage) && `${percent(coverage)} answered on the device`);
  }

  function costCard() {
    const coverage = report.operating_point && (valueOf(report.operating_point.coverage) ?? report.operating_point.target_coverage);
    const macs = isNumber(coverage) ? H.macsAt(H.curveOf(report), coverage) : null;
    const full = report.global && report.global.macs;
    const priced = report.price && isNumber(report.price.per_query) && isNumber(coverage);
    const price = priced && `${H.money(1000 * (1 - coverage) * report.price.per_query, report.price)} for 1000 images`;
    if (!(macs > 0)) return price ? card('Mean price', price, `${H.money(1000 * report.price.per_query, report.price)} if all are sent`) : null;
    return card('Mean cost per image', count(macs), 'MACs, device and cloud together', isNumber(full) && full > 0 && `${percent(macs / full, 0)} of always asking the cloud`, price);
  }

  function keyFigures() {
    const gain = report.area_difference_to_entropy;
    const range = pointBounds(gain);
    const cards = [modelCard('Base, on the device', report.base), modelCard('Global, in the cloud', report.global), hybridCard(), costCard(),
      gain ? card('Gain over entropy', points(gain.value), range && `95 %: ${range}`, 'percentage points of area, paired') : null].filter(Boolean);
    return cards.length ? section('figures', 'Key figures', null, el('dl', { class: 'cards' }, cards)) : null;
  }

  function live() {
    const run = report.live;
    if (!run) return null;
    const ms = (x) => (isNumber(x) ? `${number(x, x < 10 ? 2 : 1)}\u00a0ms` : H.kMissing);
    const cards = [card('Answered', number(run.answered), isNumber(run.total) && `of ${number(run.total)} images`), card('Coverage', percent(run.coverage, 2), 'answered by the base'),
      card('Accuracy', percent(run.accuracy, 2)), card('Same as the table', percent(run.agreement_with_table, 2), 'label and source agree'),
      card('Latency, median', ms(run.p50_ms), isNumber(run.p99_ms) && `99th percentile ${ms(run.p99_ms)}`)].filter(Boolean);
    const sources = [['On the device', run.edge], ['In the cloud', run.cloud], ['On the device, cloud not reached', run.fallback]].filter(([, n]) => isNumber(n));
    const total = isNumber(run.total) && run.total > 0 ? run.total : sources.reduce((sum, [, n]) => sum + n, 0);
    const columns = [{ label: 'Answered', numeric: false }, { label: 'Images' }, { label: 'Share' }];
    return section('live', 'The live run', 'The same models as real processes: an edge process answers the images and sends those that the router picks to a cloud process over the network.',
      cards.length ? el('dl', { class: 'cards' }, cards) : null,
      sources.length ? table('Where the answers came from', columns, sources.map(([name, n]) => [name, number(n), total > 0 ? percent(n / total, 2) : H.kMissing])) : null);
  }

  const className = (x) => {
    if (typeof x === 'string') return x;
    const name = isNumber(x) ? (report.classes || [])[x] : null;
    return name === null || name === undefined ? (isNumber(x) ? `class ${x}` : H.kMissing) : String(name);
  };

  function outcomeOf(image) {
    const [label, base, global] = [image.label, image.base, image.global].map(className);
    if (image.helped === true) return ['good', '✓', 'Cloud helped'];
    if (base === label && global !== label) return ['bad', '!', 'Cloud hurt'];
    if (image.helped === false || base === global) return ['plain', '=', 'No difference'];
    return null;
  }

  function imageCard(image) {
    const outcome = outcomeOf(image);
    const label = className(image.label);
    const kind = ['png', 'jpeg'].find((key) => typeof image[key] === 'string' && /^[A-Za-z0-9+/]+=*$/.test(image[key]));
    const shown = kind ? el('img', { src: `data:image/${kind};base64,${image[kind]}`, class: kind === 'jpeg' ? 'photo' : null, alt: `Image ${image.id ?? ''}, labelled ${label}`, loading: 'lazy' })
      : el('div', { class: 'noimage', text: 'no image' });
    const answer = (name, value) => (value === null || value === undefined ? null
      : el('div', {}, el('dt', { text: name }), el('dd', { class: className(value) === label ? 'right' : 'wrong' }, className(value),
        el('span', { class: 'hidden', text: className(value) === label ? ' (right)' : ' (wrong)' }))));
    const told = [isNumber(image.score) && `score ${number(image.score, 2)}`, isNumber(image.base_confidence) && `base ${percent(image.base_confidence, 0)}`].filter(Boolean);
    return el('li', {}, shown, el('p', { class: 'label', text: label }), el('dl', {}, answer('Base', image.base), answer('Cloud', image.global)),
      el('p', { class: 'foot' }, outcome ? el('span', { class: `chip ${outcome[0]}` }, el('b', { 'aria-hidden': 'true', text: outcome[1] }), outcome[2]) : null,
        told.length ? el('small', { text: told.join(', ') }) : null));
  }

  function gallery() {
    const images = list(report.pictures_queried);
    if (!images.length) return null;
    return section('pictures', 'Images that were queried', 'The title of each image is its true label. The router’s score says how much it expects the cloud to help; next to it is the base’s confidence.',
      el('ul', { class: 'gallery' }, images.map(imageCard)));
  }

  function reading() {
    const terms = [
      ['Coverage', 'The fraction of images that the base answers on the device. At 80 % coverage, one image in five is sent to the cloud.'],
      ['Accuracy', 'The fraction of all images with a right answer, from the base or the cloud.'],
      ['Intervals', 'The 95 % intervals come from a bootstrap that resamples the test images and the router’s seeds: they show how much a figure may change on another sample of the same kind. Differences are paired on the same images, so their intervals are narrower. Base, cloud and operating point are single shares and have Wilson’s interval.'],
      ['Threshold', 'An image is queried if its score is above the threshold, which is chosen on a calibration split that neither training nor this test has used. The report compares the coverage and accuracy predicted there with those measured here.'],
      ['Ties', 'On the device, images with equal scores are treated alike: all stay or all are queried. Where a point of a curve falls between equal scores, it is the expectation over their random order.'],
      ['Upper bound', 'Routing by an oracle that knows both answers and the label. No router can be better with these two models.'],
      ['MACs', 'Multiply-accumulate operations. Base and router run on every image, the global only on queried ones.'],
    ];
    return section('reading', 'How to read this', null, el('dl', { class: 'terms' }, terms.map(([term, text]) => el('div', {}, el('dt', { text: term }), el('dd', { text })))),
      list(report.notes).length ? [el('h3', { text: 'Notes' }), el('ul', { class: 'notes' }, list(report.notes).map((note) => el('li', { text: note })))] : null);
  }

  function provenance() {
    const describe = (model) => model && [model.name, model.macs > 0 && `${count(model.macs)} MACs`, model.parameters > 0 && `${count(model.parameters)} parameters`].filter(Boolean).join(', ');
    const rows = [['Data set', report.dataset], ['Split', report.split], ['Images', isNumber(report.pictures) ? number(report.pictures) : null],
      ['Classes', list(report.classes).map(String).join(', ')], ['Base', describe(report.base)], ['Global', describe(report.global)], ['Router', describe(report.router)],
      ['Price of a query', report.price && isNumber(report.price.per_query) ? H.money(report.price.per_query, report.price) : null],
      ['Router seeds', isNumber(report.seeds) ? number(report.seeds) : null], ['Executor', report.executor], ['Report schema', report.schema]].filter(([, value]) => value);
    return section('provenance', 'Where the figures come from', null, el('dl', { class: 'facts' }, rows.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', { text: value })))));
  }

  function contents(sections) {
    const names = { figures: 'Figures', curve: 'Curves', explorer: 'Explorer', methods: 'Methods', choice: 'Choice', paired: 'Pairs', plan: 'Costs', baselines: 'Baselines', classes: 'Classes', fusion: 'Fusion', abstaining: 'Abstaining', areas: 'Areas', promise: 'Operating point', reliability: 'Reliability', live: 'Live', images: 'Images', reading: 'Reading', provenance: 'Provenance' };
    document.getElementById('contents').append(...sections.map((node) => el('a', { href: `#${node.id}`, text: names[node.id] })));
  }

  function store(name, type, text) {
    const link = el('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function curveCsv() {
    const rows = H.curveOf(report);
    const keys = H.methodsOf(rows).map((method) => method.key);
    const head = ['coverage', 'macs', ...keys.flatMap((key) => [key, `${key}_low`, `${key}_high`, `${key}_sd`])];
    const line = (row) => [row.coverage, row.macs, ...keys.flatMap((key) => ['value', 'low', 'high', 'sd'].map((part) => (row[key] || {})[part]))];
    return [head, ...rows.map(line)].map((cells) => `${cells.map((cell) => cell ?? '').join(',')}\r\n`).join('');
  }

  function downloads() {
    const offer = (id, press) => {
      const button = document.getElementById(id);
      button.hidden = false;
      button.addEventListener('click', press);
    };
    offer('save-json', () => store('report.json', 'application/json', JSON.stringify(report, null, 2)));
    if (H.curveOf(report).length) offer('save-csv', () => store('curve.csv', 'text/csv', curveCsv()));
  }

  /** The theme follows the system until the button is pressed; paper is always light. */
  function themes() {
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    const button = document.getElementById('theme');
    const dark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
    const offer = () => {
      button.textContent = dark() ? 'Light' : 'Dark';
      button.setAttribute('aria-label', `${button.textContent} theme`);
    };
    const show = () => {
      offer();
      H.drawAll();
    };
    offer();
    button.hidden = false;
    button.addEventListener('click', () => {
      root.dataset.theme = dark() ? 'light' : 'dark';
      show();
    });
    system.addEventListener('change', show);
    let before = null;
    window.addEventListener('beforeprint', () => {
      before = root.dataset.theme ?? '';
      root.dataset.theme = 'light';
      root.dataset.printing = '';
      show();
      H.resizeAll();
    });
    window.addEventListener('afterprint', () => {
      delete root.dataset.printing;
      if (before) root.dataset.theme = before;
      else delete root.dataset.theme;
      show();
    });
  }

  [...list(report.methods).map((method) => method.name), ...H.curveOf(report).flatMap((row) => Object.keys(row).filter((key) => valueOf(row[key]) !== null))].forEach((name) => typeof name === 'string' && H.methodOf(name));
  const S = H.sections;
  const sections = [keyFigures(), S.curves(report), H.explorer(report, imageCard), S.areas(report), S.methods(report), S.choice(report), S.paired(report), S.promise(report), S.plan(report), S.baselines(report),
    S.perClass(report), S.fusion(report), S.abstaining(report), S.reliability(report), live(), gallery(), reading(), provenance()].filter(Boolean);
  meta();
  badges();
  main.append(...sections);
  contents(sections);
  const charts = H.drawAll();
  themes();
  downloads();
  root.dataset.charts = String(charts);
  root.dataset.ready = 'true';
})();
