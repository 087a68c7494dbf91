// The viewer of attention plans: heat maps of three methods on one example, their differences from the teacher, and the
// example itself shaded by the attention of one token. Needs no library.
(function () {
  "use strict";
  var asap = window.asap, gallery = asap.data.plans, holder = document.querySelector("[data-plans]");
  if (!gallery || !holder || !gallery.examples.length) return;
  var make = asap.element;
  var ramps = {
    light: ["#f6f7f9", "#cfe1f2", "#7fb8dd", "#2171b5", "#08306b"], dark: ["#171b21", "#0d3860", "#1f77b4", "#7fc4f2", "#f3fbff"]
  };
  var diverging = {
    light: ["#8f3f00", "#e08a3c", "#f6f7f9", "#5aa9d8", "#00436e"], dark: ["#ffc48a", "#c95f0a", "#171b21", "#1b7fc0", "#b5e2ff"]
  };
  var state = {
    example: 0, layer: 0, head: 0, token: 0, shade: 0,
    second: gallery.truncated || (gallery.methods.length > 1 ? 1 : 0), third: gallery.compiled || gallery.methods.length - 1
  };
  if (state.third === state.second && gallery.methods.length > 2) state.second = state.third === 1 ? 2 : 1;

  function rgb(hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.substr(at, 2), 16); }); }

  /// 256 colours along a ramp.
  function palette(stops) {
    var colours = stops.map(rgb), out = [];
    for (var i = 0; i < 256; i++) {
      var at = i / 255 * (colours.length - 1), k = Math.min(Math.floor(at), colours.length - 2), part = at - k;
      out.push(colours[k].map(function (low, c) { return Math.round(low + part * (colours[k + 1][c] - low)); }));
    }
    return out;
  }
  function theme() { return asap.isDark() ? "dark" : "light"; }

  /// The plan of every method in one layer and head: {side, plans: [method][row * side + column], differences}.
  var decoded = {};
  function head(example, index) {
    var key = example + " " + index;
    if (decoded[key]) return decoded[key];
    var shown = gallery.examples[example], stored = shown.heads[index], bytes = asap.bytes(stored.data);
    var side = shown.side, size = side * side, plans = [], differences = [];
    for (var method = 0; method < gallery.methods.length; method++) {
      var scale = stored.scales[method], values = new Float32Array(size), difference = new Float32Array(size);
      for (var i = 0; i < size; i++) {
        var byte = bytes[method * size + i];
        if (method === 0) {
          values[i] = scale * (byte / 255) * (byte / 255);
        } else {
          var root = (byte - 128) / 127;
          difference[i] = scale * root * Math.abs(root);
          values[i] = plans[0][i] + difference[i];
        }
      }
      plans.push(values);
      differences.push(difference);
    }
    return decoded[key] = {side: side, plans: plans, differences: differences, l1: [0].concat(stored.l1)};
  }
  function current() { return head(state.example, state.layer * gallery.heads + state.head); }
  function shownExample() { return gallery.examples[state.example]; }
  /// The row of the plans that the chosen token belongs to.
  function chosenRow() { return Math.floor(state.token / shownExample().cell); }

  function largest(lists) {
    var most = 0;
    lists.forEach(function (list) { for (var i = 0; i < list.length; i++) most = Math.max(most, Math.abs(list[i])); });
    return most;
  }

  function short(value) {
    var text = Math.abs(value) >= 0.1 ? value.toFixed(2) : value.toPrecision(2);
    return String(Number(text));
  }

  function paint(canvas, values, side, colourOf) {
    canvas.width = canvas.height = side;
    var context = canvas.getContext("2d"), image = context.createImageData(side, side);
    for (var i = 0; i < side * side; i++) {
      var c = colourOf(values[i]);
      image.data.set([c[0], c[1], c[2], 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }

  // ---- the parts of the page

  function methodSelect(field, label) {
    var select = make("select", {"aria-label": label, onchange: function () { state[field] = Number(select.value); update(); }});
    gallery.methods.forEach(function (name, i) {
      if (i > 0) select.append(make("option", {value: i, textContent: name}));
    });
    select.value = state[field];
    return select;
  }

  function panel(kind, title) {
    var parts = {canvas: make("canvas", {}), over: make("canvas", {className: "over"}), scale: make("div", {className: "scale"}),
      ends: make("div", {className: "ends"}), under: make("p", {className: "under"}), title: make("h4", {}, [title])};
    parts.node = make("div", {className: "panel " + kind}, [parts.title, make("div", {className: "frame"}, [parts.canvas, parts.over]),
      parts.scale, parts.ends, parts.under]);
    return parts;
  }

  function swatch(method) { return make("span", {className: "swatch " + gallery.families[method]}); }

  var second = methodSelect("second", "method of the second plan"), third = methodSelect("third", "method of the third plan");
  var panels = {
    teacher: panel("plan", "teacher"), second: panel("plan", second), third: panel("plan", third), input: panel("input", ""),
    secondDifference: panel("difference", ""), thirdDifference: panel("difference", "")
  };
  panels.teacher.title.prepend(swatch(0));
  var several = gallery.methods.length > 1, words = make("div", {className: "words"});
  var shade = make("select", {"aria-label": "method whose attention shades the example",
    onchange: function () { state.shade = Number(shade.value); update(); }});
  panels.input.title.append(make("span", {textContent: "attention of"}), shade);
  panels.input.node.querySelector(".frame").append(words);
  var choice = make("div", {className: "choice", role: "group", "aria-label": "example"});
  var verdict = make("p", {className: "verdict"});
  var controls = make("div", {className: "controls"});

  function slider(field, name, count) {
    var text = make("span", {className: "name"}), input = make("input", {type: "range", min: 0, max: Math.max(count - 1, 0), step: 1, value: 0,
      oninput: function () { state[field] = Number(input.value); update(); }});
    input.setAttribute("aria-label", name);
    input.disabled = count < 2;
    controls.append(make("label", {}, [text, input]));
    return {
      show: function (most) {
        if (most !== undefined) input.max = Math.max(most - 1, 0);
        input.value = state[field];
        text.textContent = name + " " + state[field];
      }
    };
  }
  var layerSlider = slider("layer", "layer", gallery.layers), headSlider = slider("head", "head", gallery.heads);
  var tokenSlider = slider("token", "token", shownExample().tokens);

  holder.append(choice, verdict, controls, make("div", {className: "grid"}, [panels.teacher.node].concat(
    several ? [panels.second.node, panels.third.node] : [], [panels.input.node],
    several ? [panels.secondDifference.node, panels.thirdDifference.node] : [])));

  // ---- examples

  function grey(image, i) {
    var size = image.width * image.height, data = image.bytes;
    return image.channels >= 3 ? [data[i], data[size + i], data[2 * size + i]] : [data[i], data[i], data[i]];
  }

  /// The picture in its own pixels.
  function picture(image) {
    image.bytes = image.bytes || asap.bytes(image.data);
    var canvas = make("canvas", {width: image.width, height: image.height}), context = canvas.getContext("2d");
    var pixels = context.createImageData(image.width, image.height);
    for (var i = 0; i < image.width * image.height; i++) {
      var c = grey(image, i);
      pixels.data.set([c[0], c[1], c[2], 255], 4 * i);
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  gallery.examples.forEach(function (example, i) {
    var label = /^[0-9]+$/.test(example.truth) ? "class " + example.truth : example.truth || "example " + (example.index + 1);
    var button = make("button", {type: "button", onclick: function () {
      state.example = i;
      state.token = Math.min(state.token, example.tokens - 1);
      update();
    }}, [example.input.image ? picture(example.input.image) : "", make("span", {textContent: label})]);
    choice.append(button);
  });

  // ---- drawing

  function frameSize(parts) { return Math.max(120, Math.round(parts.over.clientWidth * Math.min(devicePixelRatio || 1, 2))); }

  /// Marks the row of the chosen token.
  function markRow(parts, side) {
    var size = frameSize(parts), context = parts.over.getContext("2d"), step = size / side, row = chosenRow();
    parts.over.width = parts.over.height = size;
    context.strokeStyle = asap.colour("truncated");
    context.lineWidth = Math.max(1.5, size / 200);
    context.strokeRect(context.lineWidth / 2, row * step - context.lineWidth / 2, size - context.lineWidth, step + context.lineWidth);
  }

  function gradient(stops) { return "linear-gradient(to right, " + stops.join(", ") + ")"; }

  function drawPlan(parts, method, most) {
    var now = current(), colours = palette(ramps[theme()]);
    paint(parts.canvas, now.plans[method], now.side, function (v) {
      return colours[Math.round(255 * Math.sqrt(Math.min(Math.max(v, 0) / (most || 1), 1)))];
    });
    markRow(parts, now.side);
    parts.scale.style.background = gradient(ramps[theme()]);
    parts.ends.replaceChildren(make("span", {textContent: "0"}), make("span", {textContent: short(most / 4)}), make("span", {textContent: short(most)}));
    parts.under.textContent = method ? "L1 " + short(now.l1[method]) + " from the teacher" : "rows: queries, columns: keys";
    parts.values = now.plans[method];
  }

  function drawDifference(parts, method, most) {
    var now = current(), colours = palette(diverging[theme()]);
    paint(parts.canvas, now.differences[method], now.side, function (v) {
      return colours[Math.round(127.5 + 127.5 * Math.sign(v) * Math.sqrt(Math.min(Math.abs(v) / (most || 1), 1)))];
    });
    markRow(parts, now.side);
    parts.title.replaceChildren(swatch(method), gallery.methods[method] + " − teacher");
    parts.scale.style.background = gradient(diverging[theme()]);
    parts.ends.replaceChildren(make("span", {textContent: "−" + short(most)}), make("span", {textContent: "0"}), make("span", {textContent: "+" + short(most)}));
    parts.under.textContent = "";
    parts.values = now.differences[method];
  }

  /// What a token is called.
  function tokenName(example, token) {
    var own = token - (example.input.classToken ? 1 : 0);
    if (own < 0) return "class token";
    if (example.input.tokens) return "“" + example.input.tokens[own] + "”";
    if (example.input.image) {
      var across = example.input.image.across;
      return "patch " + (Math.floor(own / across) + 1) + ", " + (own % across + 1);
    }
    return "point " + own;
  }

  function drawInput() {
    var example = shownExample(), now = current(), row = chosenRow(), attention = now.plans[state.shade], most = 0, offset = example.input.classToken ? 1 : 0;
    for (var j = 0; j < now.side; j++) most = Math.max(most, attention[row * now.side + j]);
    var share = function (own) {
      return Math.sqrt(Math.max(attention[row * now.side + Math.floor((own + offset) / example.cell)], 0) / (most || 1));
    };
    words.hidden = !example.input.tokens;
    panels.input.canvas.hidden = panels.input.over.hidden = !words.hidden;
    if (example.input.tokens) drawWords(example, share, offset);
    else if (example.input.image) drawImage(example, share, offset);
    else drawPoints(example, share, offset);
    panels.input.scale.style.background = gradient([0, 1].map(function (a) { return tint(a); }));
    panels.input.ends.replaceChildren(make("span", {textContent: "0"}), make("span", {textContent: short(most)}));
    panels.input.under.textContent = "attention from " + tokenName(example, state.token);
  }

  function tint(share) {
    var c = rgb(asap.colour("truncated"));
    return "rgba(" + c.join(",") + "," + (0.85 * share).toFixed(3) + ")";
  }

  function drawWords(example, share, offset) {
    words.replaceChildren();
    example.input.tokens.forEach(function (token, own) {
      words.append(make("span", {textContent: token, className: own + offset === state.token ? "chosen" : "",
        style: "background:" + tint(share(own)), onclick: function () { state.token = own + offset; update(); }}));
    });
  }

  function drawImage(example, share, offset) {
    var parts = panels.input, size = frameSize(parts), image = example.input.image, context;
    parts.canvas.width = parts.canvas.height = parts.over.width = parts.over.height = size;
    context = parts.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(picture(image), 0, 0, size, size);
    var wide = size / image.across, high = size / image.down;
    for (var own = 0; own < image.across * image.down; own++) {
      context.fillStyle = tint(share(own));
      context.fillRect(own % image.across * wide, Math.floor(own / image.across) * high, wide, high);
    }
    var chosen = state.token - offset, over = parts.over.getContext("2d");
    if (chosen < 0) return;
    [["#000", 5], ["#fff", 2.5]].forEach(function (stroke) {
      over.strokeStyle = stroke[0];
      over.lineWidth = stroke[1];
      over.strokeRect(chosen % image.across * wide, Math.floor(chosen / image.across) * high, wide, high);
    });
    parts.pick = function (x, y) {
      return offset + Math.min(Math.floor(y * image.down), image.down - 1) * image.across + Math.min(Math.floor(x * image.across), image.across - 1);
    };
  }

  /// Points seen from a corner above, fitted into the frame.
  function projected(points) {
    var bytes = asap.bytes(points.data), out = [], n = bytes.length / points.width;
    for (var i = 0; i < n; i++) {
      var p = Array.prototype.slice.call(bytes, i * points.width, (i + 1) * points.width);
      out.push(points.width === 2 ? {x: p[0], y: -p[1], depth: 0}
        : {x: 0.87 * (p[0] - p[1]), y: 0.4 * (p[0] + p[1]) - p[2], depth: p[0] + p[1]});
    }
    var fit = function (key) {
      var values = out.map(function (p) { return p[key]; });
      return {low: Math.min.apply(null, values), high: Math.max.apply(null, values)};
    };
    var fx = fit("x"), fy = fit("y"), span = Math.max(fx.high - fx.low, fy.high - fy.low) || 1;
    out.forEach(function (p) {
      p.x = 0.5 + 0.88 * (p.x - (fx.low + fx.high) / 2) / span;
      p.y = 0.5 + 0.88 * (p.y - (fy.low + fy.high) / 2) / span;
    });
    return out;
  }

  function drawPoints(example, share, offset) {
    var parts = panels.input, size = frameSize(parts), context, points = example.projected = example.projected || projected(example.input.points);
    parts.canvas.width = parts.canvas.height = parts.over.width = parts.over.height = size;
    context = parts.canvas.getContext("2d");
    points.map(function (p, own) { return {p: p, own: own}; }).sort(function (a, b) { return a.p.depth - b.p.depth; }).forEach(function (entry) {
      var a = share(entry.own), radius = size * (0.008 + 0.014 * a);
      context.beginPath();
      context.arc(entry.p.x * size, entry.p.y * size, radius, 0, 7);
      context.fillStyle = asap.colour("line");
      context.fill();
      context.fillStyle = tint(0.15 + 0.85 * a);
      context.fill();
    });
    var chosen = points[state.token - offset], over = parts.over.getContext("2d");
    if (chosen) {
      over.beginPath();
      over.arc(chosen.x * size, chosen.y * size, size * 0.03, 0, 7);
      over.strokeStyle = asap.colour("text");
      over.lineWidth = 2;
      over.stroke();
    }
    parts.pick = function (x, y) {
      var best = 0;
      points.forEach(function (p, i) {
        if (Math.hypot(p.x - x, p.y - y) < Math.hypot(points[best].x - x, points[best].y - y)) best = i;
      });
      return best + offset;
    };
  }

  function showVerdict() {
    var example = shownExample(), parts = ["Example " + (example.index + 1) + " of the test data, " + example.tokens + " tokens"];
    if (example.cell > 1) parts[0] += ", drawn as cells of " + example.cell + " × " + example.cell + " tokens";
    if (example.truth) parts.push("truth: " + example.truth);
    (several ? [0, state.second, state.third] : [0]).forEach(function (method) {
      var said = example.predictions[method], mark = example.truth ? (said === example.truth ? " ✓" : " ✗") : "";
      parts.push(gallery.methods[method] + ": " + said + mark);
    });
    verdict.textContent = parts.join(" · ");
  }

  function update() {
    var now = current(), shown = several ? [0, state.second, state.third] : [0];
    Array.prototype.forEach.call(choice.children, function (button, i) { button.setAttribute("aria-pressed", String(i === state.example)); });
    layerSlider.show();
    headSlider.show();
    tokenSlider.show(shownExample().tokens);
    shade.replaceChildren();
    shown.forEach(function (method) { shade.append(make("option", {value: method, textContent: gallery.methods[method]})); });
    if (shown.indexOf(state.shade) < 0) state.shade = 0;
    shade.value = state.shade;
    showVerdict();
    var most = largest(shown.map(function (method) { return now.plans[method]; }));
    drawPlan(panels.teacher, 0, most);
    if (several) {
      drawPlan(panels.second, state.second, most);
      drawPlan(panels.third, state.third, most);
      var far = largest([now.differences[state.second], now.differences[state.third]]);
      drawDifference(panels.secondDifference, state.second, far);
      drawDifference(panels.thirdDifference, state.third, far);
    }
    drawInput();
    holder.setAttribute("data-shown", [state.example, state.layer, state.head, state.token].join(" "));
  }

  // ---- pointing

  function place(parts, event) {
    var box = parts.over.getBoundingClientRect();
    return {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height};
  }
  ["teacher", "second", "third", "secondDifference", "thirdDifference"].forEach(function (name) {
    var parts = panels[name];
    function cellOf(event) {
      var at = place(parts, event), side = current().side;
      return {row: Math.min(Math.floor(at.y * side), side - 1), column: Math.min(Math.floor(at.x * side), side - 1)};
    }
    parts.over.addEventListener("pointermove", function (event) {
      var at = cellOf(event), cell = shownExample().cell, example = shownExample();
      parts.node.title = tokenName(example, at.row * cell) + " → " + tokenName(example, at.column * cell) + ": " +
        short(parts.values[at.row * current().side + at.column]);
    });
    parts.over.addEventListener("click", function (event) {
      state.token = Math.min(cellOf(event).row * shownExample().cell, shownExample().tokens - 1);
      update();
    });
  });
  panels.input.over.addEventListener("click", function (event) {
    var at = place(panels.input, event);
    if (panels.input.pick) state.token = panels.input.pick(at.x, at.y);
    update();
  });

  state.token = Math.floor(shownExample().tokens / 2);
  update();
  asap.onChange(update);
})();
