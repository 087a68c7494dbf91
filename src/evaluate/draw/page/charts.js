// Draws every <figure data-chart="ID"> from data.charts[ID] with d3. Without d3 the SVG pictures remain.
(function () {
  "use strict";
  var asap = window.asap;
  if (!window.d3 || !d3.scaleLinear || !asap.data.charts) return;
  var symbols = {
    "teacher": d3.symbolDiamond, "softmax": d3.symbolSquare, "truncated": d3.symbolTriangle, "zero-dual": d3.symbolCross,
    "compiled": d3.symbolCircle, "other": d3.symbolStar
  };
  var dashes = ["", "6 4", "2 3", "9 3 2 3", "1 4"];
  var tip = asap.element("div", {className: "tip", hidden: true});
  document.body.append(tip);

  function showTip(text, x, y) {
    tip.textContent = text;
    tip.hidden = false;
    var most = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = Math.max(8, Math.min(x + scrollX + 12, most)) + "px";
    tip.style.top = y + scrollY - tip.offsetHeight - 10 + "px";
  }
  function hideTip() { tip.hidden = true; }
  addEventListener("scroll", hideTip, {passive: true});

  function short(value) {
    if (value === null) return "-";
    return Math.abs(value) >= 1e4 ? d3.format(",.0f")(value) : d3.format(".4~g")(value);
  }

  /// An empty drawing of the container's width: {svg, width, height, margin}.
  function sheet(holder, height, margin) {
    var width = Math.max(holder.clientWidth, 240);
    var svg = d3.select(holder).append("svg").attr("class", "plot").attr("width", width).attr("height", height)
      .attr("viewBox", "0 0 " + width + " " + height).attr("role", "img");
    return {svg: svg, width: width, height: height, margin: margin};
  }

  function scale(logarithmic, low, high, from, to) {
    var s = (logarithmic ? d3.scaleLog() : d3.scaleLinear()).domain([low, high]).range([from, to]);
    return logarithmic ? s : s.nice(5);
  }

  function isToken(chart) { return chart.x === "tokens"; }

  /// Axes with units, grid lines behind. Few ticks, so that they stay apart on a phone.
  function axes(page, chart, x, y) {
    var m = page.margin, bottom = page.height - m.bottom;
    function ticksOf(s, count) {
      if (!s.base) return s.ticks(count);
      var all = s.ticks(), span = Math.log10(s.domain()[1] / s.domain()[0]);
      return all.filter(function (v) {
        var lead = v / Math.pow(10, Math.floor(Math.log10(v) + 1e-9));
        return Math.abs(lead - 1) < 1e-6 || (span < 2.5 && (Math.abs(lead - 2) < 1e-6 || Math.abs(lead - 5) < 1e-6));
      });
    }
    var count = page.width < 480 ? 4 : 7;
    var xs = chart.ticks || ticksOf(x, count), ys = ticksOf(y, 5);
    var format = function (v) { return short(v); };
    ys.forEach(function (v) {
      page.svg.append("line").attr("class", "grid").attr("x1", m.left).attr("x2", page.width - m.right)
        .attr("y1", y(v)).attr("y2", y(v));
    });
    page.svg.append("g").attr("class", "axis").attr("transform", "translate(0," + bottom + ")")
      .call(d3.axisBottom(x).tickValues(xs).tickFormat(format).tickSizeOuter(0));
    page.svg.append("g").attr("class", "axis").attr("transform", "translate(" + m.left + ",0)")
      .call(d3.axisLeft(y).tickValues(ys).tickFormat(format).tickSize(0).tickPadding(6))
      .call(function (g) { g.select(".domain").remove(); });
    page.svg.append("text").attr("class", "title").attr("x", (m.left + page.width - m.right) / 2).attr("y", page.height - 6)
      .attr("text-anchor", "middle").text(chart.x + (x.base ? " (logarithmic)" : ""));
    page.svg.append("text").attr("class", "title").attr("x", 0).attr("y", 11)
      .text(chart.y + (y.base ? " (logarithmic)" : ""));
  }

  function finite(value) { return value !== null && isFinite(value); }

  /// The points that no other beats in x (smaller) and y (better).
  function front(points, lowerIsBetter) {
    var sign = lowerIsBetter ? -1 : 1;
    return points.filter(function (p) {
      return !points.some(function (o) {
        var gain = sign * (o.y - p.y);
        return o.x <= p.x && gain >= 0 && (o.x < p.x || gain > 0);
      });
    }).sort(function (a, b) { return a.x - b.x; });
  }

  /// Puts a label beside each mark so that nothing is covered: the nearest free place of a ring of them.
  function placeLabels(marks, page) {
    var taken = [];
    marks.forEach(function (mark) { taken.push({x0: mark.px - 7, x1: mark.px + 7, y0: mark.py - 7, y1: mark.py + 7}); });
    function away(box, mark) {
      return Math.hypot(Math.max(box.x0 - mark.px, 0, mark.px - box.x1), Math.max(box.y0 - mark.py, 0, mark.py - box.y1));
    }
    /// Nearer to its own mark than to any other.
    function clear(box, mark) {
      return marks.every(function (other) {
        return Math.hypot(other.px - mark.px, other.py - mark.py) < 6 || away(box, other) > away(box, mark) + 3;
      });
    }
    function free(box) {
      return box.x0 >= page.margin.left && box.x1 <= page.width - 2 && box.y0 >= 16 &&
        box.y1 <= page.height - page.margin.bottom - 2 &&
        !taken.some(function (t) { return t.x0 < box.x1 && t.x1 > box.x0 && t.y0 < box.y1 && t.y1 > box.y0; });
    }
    var offsets = [];
    [11, 16, 24, 34, 46, 60, 76, 94].forEach(function (radius) {
      for (var k = 0; k < 16; k++) offsets.push({dx: radius * Math.cos(k * Math.PI / 8), dy: radius * Math.sin(k * Math.PI / 8)});
    });
    function nearest(mark, strict) {
      var best = null;
      offsets.some(function (o) {
        var right = o.dx > -1e-6, x0 = right ? mark.px + Math.max(o.dx, 4) : mark.px + o.dx - mark.width;
        if (Math.abs(o.dx) < 5) x0 = mark.px - mark.width / 2;
        var box = {x0: x0, x1: x0 + mark.width, y0: mark.py + o.dy - 8, y1: mark.py + o.dy + 8};
        if (free(box) && (!strict || clear(box, mark))) best = box;
        return best;
      });
      return best;
    }
    marks.slice().sort(function (a, b) { return b.px - a.px; }).forEach(function (mark) {
      var best = nearest(mark, true) || nearest(mark, false);
      mark.box = best;
      if (best) taken.push(best);
    });
  }

  function drawScatter(holder, chart) {
    var page = sheet(holder, holder.clientWidth < 480 ? 330 : 360, {left: 52, right: 14, top: 24, bottom: 44});
    var m = page.margin, points = chart.points.filter(function (p) { return finite(p.x) && finite(p.y); });
    if (!points.length) return;
    var ys = d3.extent(points, function (p) { return p.y; }), room = (ys[1] - ys[0]) * 0.06 || Math.abs(ys[1]) * 0.01 || 0.01;
    var x = scale(false, 0, d3.max(points, function (p) { return p.x; }) * 1.04, m.left, page.width - m.right);
    var y = scale(false, ys[0] - room, ys[1] + room, page.height - m.bottom, m.top);
    axes(page, chart, x, y);
    var best = front(points, chart.lowerIsBetter);
    page.svg.append("path").attr("class", "front")
      .attr("d", d3.line().curve(d3.curveStepAfter).x(function (p) { return x(p.x); }).y(function (p) { return y(p.y); })(best));
    var marks = points.map(function (p) { return {point: p, px: x(p.x), py: y(p.y), width: 0}; });
    var texts = page.svg.append("g");
    marks.forEach(function (mark) {
      mark.text = texts.append("text").attr("class", "label " + mark.point.family).text(mark.point.label);
      mark.width = mark.text.node().getComputedTextLength();
    });
    placeLabels(marks, page);
    marks.forEach(function (mark) {
      if (!mark.box) return mark.text.remove();
      mark.text.attr("x", mark.box.x0).attr("y", mark.box.y0 + 12);
      var end = Math.max(mark.box.x0, Math.min(mark.px, mark.box.x1));
      if (Math.hypot(end - mark.px, mark.box.y0 + 8 - mark.py) > 18)
        texts.insert("line", "text").attr("class", "link").attr("x1", mark.px).attr("y1", mark.py)
          .attr("x2", end).attr("y2", mark.box.y0 + (mark.box.y0 > mark.py ? 2 : 14));
    });
    marks.forEach(function (mark) {
      var p = mark.point;
      var shape = page.svg.append("path").attr("class", "mark " + p.family)
        .attr("transform", "translate(" + mark.px + "," + mark.py + ")")
        .attr("d", d3.symbol().type(symbols[p.family] || d3.symbolCircle).size(p.family === "compiled" ? 95 : 75)());
      follow(shape.node(), function () { return p.label + "\n" + chart.y + " " + short(p.y) + "\n" + short(p.x) + " ms"; });
    });
  }

  /// A tip while the pointer is over a mark.
  function follow(node, text) {
    node.addEventListener("pointerenter", function (event) { showTip(text(), event.clientX, event.clientY); });
    node.addEventListener("pointerleave", hideTip);
  }

  function drawBars(holder, chart) {
    var bars = chart.bars.filter(function (b) { return finite(b.value); }), step = 26;
    var page = sheet(holder, bars.length * step + 30, {left: 4, right: 62, top: 0, bottom: 24});
    var widest = 0;
    var labels = bars.map(function (bar, i) {
      var text = page.svg.append("text").attr("y", i * step + 16).attr("text-anchor", "end").attr("class", "label " + bar.family).text(bar.label);
      widest = Math.max(widest, text.node().getComputedTextLength());
      return text;
    });
    var left = widest + 10, x = d3.scaleLinear().domain([0, d3.max(bars, function (b) { return b.value; }) || 1])
      .range([left, page.width - page.margin.right]);
    bars.forEach(function (bar, i) {
      labels[i].attr("x", left - 8);
      page.svg.append("rect").attr("class", "mark " + bar.family).attr("x", left).attr("y", i * step + 3)
        .attr("width", Math.max(1, x(bar.value) - left)).attr("height", step - 8).attr("rx", 2);
      page.svg.append("text").attr("x", x(bar.value) + 6).attr("y", i * step + 16).text(bar.value.toFixed(chart.decimals));
    });
    page.svg.append("text").attr("class", "title").attr("x", left).attr("y", page.height - 8).text(chart.x);
  }

  /// Lines of one family have different dashes.
  function withDashes(lines) {
    var seen = {};
    return lines.map(function (line) {
      seen[line.family] = (seen[line.family] || 0) + 1;
      return {line: line, dash: dashes[(seen[line.family] - 1) % dashes.length]};
    });
  }

  function drawLegend(holder, lines) {
    var list = d3.select(holder).append("ul").attr("class", "legend");
    lines.forEach(function (entry) {
      var item = list.append("li").attr("class", entry.line.family);
      item.append("svg").attr("viewBox", "0 0 30 10").append("line").attr("x1", 0).attr("x2", 30).attr("y1", 5).attr("y2", 5)
        .attr("stroke", "var(--c)").attr("stroke-width", 2.5).attr("stroke-dasharray", entry.dash);
      item.append("span").text(entry.line.label);
    });
  }

  function pointsOf(chart, line) {
    return line.y.map(function (y, i) { return {x: line.x ? line.x[i] : i, y: y}; }).filter(function (p) {
      return finite(p.x) && finite(p.y) && (!chart.logY || p.y > 0) && (!chart.logX || p.x > 0);
    });
  }

  /// A line that only marks a height.
  function isLevel(points) { return points.length === 2 && points[0].y === points[1].y; }

  function drawLines(holder, chart) {
    var lines = withDashes(chart.lines.filter(function (line) { return pointsOf(chart, line).length; }));
    if (!lines.length) return;
    drawLegend(holder, lines);
    var page = sheet(holder, holder.clientWidth < 480 ? 270 : 300, {left: 56, right: 14, top: 24, bottom: 44}), m = page.margin;
    var all = d3.merge(lines.map(function (entry) { return pointsOf(chart, entry.line); }));
    var xs = d3.extent(all, function (p) { return p.x; }), ys = d3.extent(all, function (p) { return p.y; });
    var x = scale(chart.logX, xs[0], xs[1] > xs[0] ? xs[1] : xs[0] + 1, m.left, page.width - m.right);
    var y = chart.logY ? scale(true, ys[0] * 0.85, ys[1] * 1.15, page.height - m.bottom, m.top)
      : scale(false, chart.fromZero === false ? ys[0] : Math.min(0, ys[0]), ys[1] || 1, page.height - m.bottom, m.top);
    if (isToken(chart))
      chart.ticks = Array.from(new Set(all.map(function (p) { return p.x; }))).sort(function (a, b) { return a - b; })
        .filter(function (v, i, sorted) { return sorted.length <= 6 || (sorted.length - 1 - i) % 2 === 0; });
    // Iterations, layers and steps are whole numbers: no ticks between them.
    else if (all.every(function (p) { return Number.isInteger(p.x); })) {
      var whole = x.ticks(page.width < 480 ? 4 : 7).filter(Number.isInteger);
      if (whole.length > 1) chart.ticks = whole;
    }
    axes(page, chart, x, y);
    // The teacher's lines lie on top: what all others are compared with.
    var above = lines.filter(function (entry) { return entry.line.family === "teacher"; });
    var below = lines.filter(function (entry) { return entry.line.family !== "teacher"; });
    below.concat(above).forEach(function (entry) {
      var points = pointsOf(chart, entry.line);
      if (entry.line.band)
        page.svg.append("path").attr("class", "band " + entry.line.family)
          .attr("d", d3.area().x(function (p) { return x(p.x); }).y0(function (p, i) { return y(p.y - entry.line.band[i]); })
            .y1(function (p, i) { return y(p.y + entry.line.band[i]); })(points));
      page.svg.append("path").attr("class", "curve " + entry.line.family).attr("stroke-dasharray", entry.dash)
        .attr("d", d3.line().x(function (p) { return x(p.x); }).y(function (p) { return y(p.y); })(points));
      if (points.length < 12 && !isLevel(points))
        points.forEach(function (p) {
          page.svg.append("circle").attr("class", "mark " + entry.line.family).attr("r", 3.5).attr("cx", x(p.x)).attr("cy", y(p.y));
        });
    });
    readLines(page, chart, lines, x);
  }

  /// All lines' values at the pointer's place.
  function readLines(page, chart, lines, x) {
    var rule = page.svg.append("line").attr("class", "hover").attr("y1", page.margin.top)
      .attr("y2", page.height - page.margin.bottom).attr("visibility", "hidden");
    var node = page.svg.node();
    node.addEventListener("pointermove", function (event) {
      var box = node.getBoundingClientRect(), at = x.invert((event.clientX - box.left) * page.width / box.width);
      if (at < x.domain()[0] || at > x.domain()[1]) return leave();
      var nearest = null, rows = [];
      lines.forEach(function (entry) {
        var points = pointsOf(chart, entry.line);
        if (!points.length) return;
        if (isLevel(points)) return rows.push(entry.line.label + "  " + short(points[0].y));
        var best = points.reduce(function (a, b) { return Math.abs(b.x - at) < Math.abs(a.x - at) ? b : a; });
        if (nearest === null) nearest = best.x;
        rows.push(entry.line.label + "  " + short(best.y));
      });
      if (nearest === null) return;
      rule.attr("visibility", "visible").attr("x1", x(nearest)).attr("x2", x(nearest));
      showTip(chart.x + " " + short(nearest) + "\n" + rows.slice(0, 10).join("\n"), event.clientX, event.clientY);
    });
    function leave() { rule.attr("visibility", "hidden"); hideTip(); }
    node.addEventListener("pointerleave", leave);
  }

  function drawClouds(holder, chart) {
    var grid = asap.element("div", {className: "clouds"});
    holder.append(grid);
    chart.panels.forEach(function (panel) {
      var cell = asap.element("div", {className: "cloud"}, [asap.element("h4", {}, [asap.element("b", {textContent: panel.title}),
        asap.element("span", {textContent: panel.note})])]);
      grid.append(cell);
      var size = Math.max(cell.clientWidth, 120), svg = d3.select(cell).append("svg").attr("class", "plot")
        .attr("viewBox", "0 0 " + size + " " + (size + 16)).attr("role", "img");
      var all = panel.x.concat(panel.y).filter(finite), bounds = d3.extent(all);
      var x = d3.scaleLinear().domain(bounds).nice(4).range([26, size - 4]), y = x.copy().range([size - 16, 4]);
      svg.append("g").attr("class", "axis").attr("transform", "translate(0," + (size - 16) + ")")
        .call(d3.axisBottom(x).ticks(3).tickSize(3));
      svg.append("g").attr("class", "axis").attr("transform", "translate(26,0)").call(d3.axisLeft(y).ticks(3).tickSize(3));
      svg.selectAll(".axis text").attr("font-size", 9);
      var ends = x.domain();
      svg.append("line").attr("class", "diagonal").attr("x1", x(ends[0])).attr("y1", y(ends[0])).attr("x2", x(ends[1])).attr("y2", y(ends[1]));
      svg.append("path").attr("class", "dots").attr("d", panel.x.map(function (v, i) {
        return finite(v) && finite(panel.y[i]) ? "M" + x(v).toFixed(1) + " " + y(panel.y[i]).toFixed(1) + "h0" : "";
      }).join(""));
    });
    holder.append(asap.element("p", {className: "soft", textContent: "horizontal: " + chart.x + "; vertical: " + chart.y}));
  }

  var draw = {scatter: drawScatter, bars: drawBars, lines: drawLines, clouds: drawClouds};

  /// Several charts in one place, chosen by buttons.
  function drawChoice(holder, chart, state) {
    var row = asap.element("div", {className: "segments", role: "group"});
    chart.options.forEach(function (option, i) {
      row.append(asap.element("button", {type: "button", textContent: option.name, "aria-pressed": String(i === state.chosen),
        onclick: function () { state.chosen = i; render(holder, chart, state); }}));
    });
    holder.append(row);
    var place = asap.element("div");
    holder.append(place);
    draw[chart.options[state.chosen].chart.kind](place, chart.options[state.chosen].chart);
  }

  function render(holder, chart, state) {
    holder.replaceChildren();
    if (chart.kind === "choice") drawChoice(holder, chart, state);
    else draw[chart.kind](holder, chart);
    var svg = holder.querySelector("svg.plot");
    if (svg && chart.title) svg.setAttribute("aria-label", chart.title);
  }

  document.querySelectorAll("figure[data-chart]").forEach(function (figure) {
    var chart = asap.data.charts[figure.getAttribute("data-chart")], state = {chosen: 0};
    if (!chart) return;
    var holder = figure.querySelector(".drawing");
    render(holder, chart, state);
    asap.onChange(function () { render(holder, chart, state); });
  });
})();
