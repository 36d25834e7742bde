/* Plots: a figure with a legend of buttons, drawn with Chart.js in the page's colours, drawn again when the theme changes. */
(() => {
  'use strict';
  const { el, isNumber } = window.HedgeReport;
  const drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  /** '#rrggbb' -> 'rgba(…)'. */
  function fade(hex, alpha) {
    const n = parseInt(hex.slice(1), 16);
    return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`;
  }

  function axis(title, format, extra = {}) {
    return {
      type: 'linear',
      offset: false,
      title: { display: true, text: title, color: colour('muted'), font: { size: 12, weight: '500' }, padding: { top: 6, bottom: 2 } },
      grid: { color: colour('grid'), borderColor: colour('line'), tickLength: 0, offset: false },
      ticks: { color: colour('muted'), padding: 8, maxTicksLimit: 9, font: { size: 11.5 }, callback: format, maxRotation: 0 },
      ...extra,
    };
  }

  /** Whiskers of one point: [xLow, xHigh] and [yLow, yHigh] in the data's units; either may be missing. */
  function whiskers(chart, x, y, spanX, spanY, stroke) {
    const { ctx, scales, chartArea } = chart;
    ctx.save();
    ctx.strokeStyle = stroke;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.rect(chartArea.left - 6, chartArea.top - 6, chartArea.width + 12, chartArea.height + 12);
    ctx.clip();
    ctx.beginPath();
    const px = scales.x.getPixelForValue(x);
    const py = scales.y.getPixelForValue(y);
    if (spanX) {
      for (const end of spanX.map((v) => scales.x.getPixelForValue(v))) ctx.rect(end, py - 4, 0, 8);
      ctx.moveTo(scales.x.getPixelForValue(spanX[0]), py);
      ctx.lineTo(scales.x.getPixelForValue(spanX[1]), py);
    }
    if (spanY) {
      for (const end of spanY.map((v) => scales.y.getPixelForValue(v))) ctx.rect(px - 4, end, 8, 0);
      ctx.moveTo(px, scales.y.getPixelForValue(spanY[0]));
      ctx.lineTo(px, scales.y.getPixelForValue(spanY[1]));
    }
    ctx.stroke();
    ctx.restore();
  }

  function label(chart, text, x, y, align, fill, weight) {
    const { ctx } = chart;
    ctx.save();
    ctx.font = `${weight || 500} 12px ${window.Chart.defaults.font.family}`;
    ctx.textAlign = align;
    ctx.textBaseline = 'bottom';
    ctx.lineWidth = 4;
    ctx.lineJoin = 'round';
    ctx.strokeStyle = colour('surface');
    ctx.strokeText(text, x, y);
    ctx.fillStyle = fill;
    ctx.fillText(text, x, y);
    ctx.restore();
  }

  function drawMarker(chart, marker) {
    const { ctx, scales } = chart;
    const px = scales.x.getPixelForValue(marker.x);
    const py = scales.y.getPixelForValue(marker.y);
    whiskers(chart, marker.x, marker.y, marker.spanX, marker.spanY, colour('ink'));
    ctx.save();
    ctx.translate(px, py);
    ctx.rotate(Math.PI / 4);
    ctx.fillStyle = colour('surface');
    ctx.strokeStyle = colour('ink');
    ctx.lineWidth = 2.5;
    ctx.beginPath();
    ctx.rect(-5.5, -5.5, 11, 11);
    ctx.fill();
    ctx.stroke();
    ctx.restore();
    const left = px > (chart.chartArea.left + chart.chartArea.right) / 2;
    label(chart, marker.label, px + (left ? -12 : 12), py + 26, left ? 'right' : 'left', colour('ink'), 600);
  }

  /** What Chart.js has no dataset for: labels of reference lines, whiskers of points, the operating point. */
  const marks = (spec) => ({
    id: 'hedgeMarks',
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      ctx.save();
      ctx.strokeStyle = colour('muted');
      ctx.lineWidth = 1.25;
      ctx.setLineDash([6, 5]);
      ctx.beginPath();
      for (const y of (spec.references || []).map((reference) => scales.y.getPixelForValue(reference.y))) {
        ctx.moveTo(chartArea.left, y);
        ctx.lineTo(chartArea.right, y);
      }
      if (spec.diagonal) {
        ctx.moveTo(scales.x.getPixelForValue(0), scales.y.getPixelForValue(0));
        ctx.lineTo(scales.x.getPixelForValue(1), scales.y.getPixelForValue(1));
      }
      ctx.stroke();
      ctx.restore();
    },
    afterDatasetsDraw(chart) {
      const { chartArea, scales } = chart;
      for (const reference of (spec.references || []).filter((line) => line.label)) {
        const right = reference.side === 'right';
        label(chart, reference.label, right ? chartArea.right - 6 : chartArea.left + 6, scales.y.getPixelForValue(reference.y) - 4,
          right ? 'right' : 'left', colour('muted'));
      }
      for (const series of spec.series) {
        if (!series.shown) continue;
        for (const point of series.points.filter((p) => p.sd)) {
          whiskers(chart, point.x, point.y, null, [point.y - point.sd, point.y + point.sd], colour(`c-${series.paint || series.key}`));
        }
      }
      for (const marker of spec.markers || []) drawMarker(chart, marker);
    },
  });

  function datasetsOf(spec) {
    const sets = [];
    spec.series.forEach((series, order) => {
      const stroke = colour(`c-${series.paint || series.key}`);
      const common = { parsing: false, seriesKey: series.key, hidden: !series.shown, order: order + 1 };
      const edges = series.points.filter((p) => isNumber(p.low) && isNumber(p.high));
      if (edges.length > 1) {
        const hidden = !(series.shown && (series.band || spec.allBands));
        const edge = { ...common, role: 'band', hidden, order: 50 + order, pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0, borderWidth: 0 };
        sets.push({ ...edge, data: edges.map((p) => ({ x: p.x, y: p.low })) });
        sets.push({ ...edge, data: edges.map((p) => ({ x: p.x, y: p.high })), fill: '-1', backgroundColor: fade(stroke, 0.16) });
      }
      sets.push({ ...common, role: 'line', label: series.label, data: series.points, showLine: !series.scatter, borderColor: stroke, backgroundColor: stroke,
        borderDash: series.dash, borderWidth: series.key === 'hybrid' ? 2.75 : 1.75, pointStyle: series.point || 'circle',
        pointRadius: series.plain ? 0 : series.key === 'hybrid' ? 3.5 : 3, pointHoverRadius: 6, pointBorderColor: stroke, tension: 0 });
    });
    for (const bars of spec.bars || []) {
      sets.push({ type: 'bar', role: 'bars', parsing: false, order: 95, yAxisID: 'bars', data: bars.points, barThickness: 10, borderRadius: 2,
        backgroundColor: fade(colour('muted'), 0.28) });
    }
    return sets;
  }

  function scalesOf(spec) {
    const wanted = [...(spec.references || []).map((reference) => reference.y), ...(spec.markers || []).flatMap((marker) => [marker.y, ...(marker.spanY || [])])];
    const spread = spec.series.filter((series) => series.shown).flatMap((series) => series.points.filter((p) => p.sd).flatMap((p) => [p.y - p.sd, p.y + p.sd]));
    wanted.push(...spread);
    const range = spec.yMin === undefined ? { grace: '6%' } : { min: spec.yMin, max: spec.yMax };
    if (wanted.length) Object.assign(range, { suggestedMin: Math.min(...wanted), suggestedMax: Math.max(...wanted) });
    const scales = { x: axis(spec.xTitle, spec.xFormat, { min: spec.xMin, max: spec.xMax }), y: axis(spec.yTitle, spec.yFormat, range) };
    if (spec.bars) {
      const most = Math.max(...spec.bars.flatMap((bars) => bars.points.map((p) => p.y)), 1);
      scales.bars = { type: 'linear', axis: 'y', position: 'right', display: false, min: 0, max: 4 * most };
    }
    return scales;
  }

  function optionsOf(spec) {
    return {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      layout: { padding: { top: 6, right: 10 } },
      scales: scalesOf(spec),
      plugins: {
        legend: { display: false },
        tooltip: {
          filter: (item) => item.dataset.role === 'line',
          usePointStyle: true,
          backgroundColor: colour('ink'),
          titleColor: colour('surface'),
          bodyColor: colour('surface'),
          padding: 10,
          cornerRadius: 6,
          boxPadding: 5,
          itemSort: (a, b) => b.parsed.y - a.parsed.y,
          callbacks: {
            title: (items) => (items.length ? spec.tooltipTitle(items[0].raw) : ''),
            label: (item) => ` ${item.dataset.label}: ${spec.tooltipValue(item.raw)}`,
          },
        },
      },
    };
  }

  function applyVisibility(entry) {
    const { chart, spec } = entry;
    const shown = Object.fromEntries(spec.series.map((series) => [series.key, series]));
    chart.data.datasets.forEach((set, index) => {
      const series = shown[set.seriesKey];
      if (!series) return;
      chart.setDatasetVisibility(index, series.shown && (set.role === 'line' || Boolean(series.band || spec.allBands)));
    });
    chart.update('none');
  }

  function legendOf(entry) {
    const { spec } = entry;
    const button = (text, pressed, swatch, press) => {
      const node = el('button', { type: 'button', 'aria-pressed': String(pressed) }, swatch, text);
      node.addEventListener('click', () => {
        node.setAttribute('aria-pressed', String(press()));
        applyVisibility(entry);
      });
      return node;
    };
    const items = spec.series.map((series) => {
      const line = el('i', { class: 'swatch', 'aria-hidden': 'true', style: `--swatch:var(--c-${series.paint || series.key})`, 'data-dash': series.dash.length ? 'dashed' : 'solid' });
      return button(series.label, series.shown, line, () => (series.shown = !series.shown));
    });
    if (spec.bandToggle) items.push(button('All intervals', Boolean(spec.allBands), el('i', { class: 'swatch band', 'aria-hidden': 'true' }), () => (spec.allBands = !spec.allBands)));
    return el('div', { class: 'legend', role: 'group', 'aria-label': 'Lines shown' }, items);
  }

  function draw(entry) {
    if (entry.chart) entry.chart.destroy();
    const { spec } = entry;
    entry.chart = new window.Chart(entry.canvas, { type: 'line', data: { datasets: datasetsOf(spec) }, options: optionsOf(spec), plugins: [marks(spec)] });
  }

  /**
   * A figure whose plot is drawn by drawAll(). spec: title, caption, summary (what a reader who does not see it needs), xTitle, yTitle,
   * xFormat, yFormat, xMin, xMax, tooltipTitle(point), tooltipValue(point), series [{key, label, dash, point, shown, band,
   * points [{x, y, low, high, sd}]}], references [{label, y, side}], diagonal, markers [{x, y, spanX, spanY, label}], bars [{points}], square.
   */
  function figure(spec, ...beside) {
    const canvas = el('canvas', { role: 'img', 'aria-label': spec.summary });
    canvas.textContent = spec.summary;
    const entry = { spec, canvas, chart: null };
    drawn.push(entry);
    const legend = spec.series.length > 1 ? legendOf(entry) : null;
    return el('figure', { class: spec.square ? 'plot square' : 'plot' }, el('h3', { text: spec.title }), legend,
      el('div', { class: 'canvas' }, canvas), el('figcaption', { text: spec.caption }), ...beside);
  }

  function drawAll() {
    window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    drawn.forEach(draw);
    return drawn.filter((entry) => entry.chart).length;
  }

  /** Draws a figure's marks anew after its spec was changed. */
  function redraw(spec) {
    const entry = drawn.find((one) => one.spec === spec);
    if (entry && entry.chart) entry.chart.update('none');
  }

  function resizeAll() {
    drawn.forEach((entry) => entry.chart && entry.chart.resize());
  }

  Object.assign(window.HedgeReport, { figure, drawAll, redraw, resizeAll });
})();
