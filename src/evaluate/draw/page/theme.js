// Light or dark: as the system says until the button is pressed; remembered where the browser allows it.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.remove("no-script");
  function remembered() {
    try { return localStorage.getItem("asap-theme"); } catch (error) { return null; }
  }
  function remember(theme) {
    try { localStorage.setItem("asap-theme", theme); } catch (error) { /* a private window: not remembered */ }
  }
  function isDark() {
    var chosen = root.getAttribute("data-theme");
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  var theme = remembered();
  if (theme === "dark" || theme === "light") root.setAttribute("data-theme", theme);

  /// What every script of the page shares.
  window.asap = {
    data: JSON.parse(document.getElementById("report-data").textContent),
    /// Called again whenever colours or widths change.
    onChange: function (callback) { listeners.push(callback); },
    colour: function (name) { return getComputedStyle(root).getPropertyValue("--" + name).trim(); },
    isDark: isDark,
    element: function (tag, properties, children) {
      var node = document.createElement(tag);
      Object.keys(properties || {}).forEach(function (key) {
        if (key in node && key !== "style") node[key] = properties[key];
        else node.setAttribute(key, properties[key]);
      });
      (children || []).forEach(function (child) { node.append(child); });
      return node;
    },
    bytes: function (text) {
      var raw = atob(text), out = new Uint8Array(raw.length);
      for (var i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
      return out;
    }
  };
  var listeners = [], waiting = false;
  function changed() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(function () {
      waiting = false;
      listeners.forEach(function (callback) { callback(); });
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  var width = innerWidth;
  addEventListener("resize", function () {
    if (innerWidth === width) return;  // a phone's address bar comes and goes
    width = innerWidth;
    changed();
  });
  var button = document.querySelector("button.theme");
  function name() { button.textContent = isDark() ? "Light" : "Dark"; }
  if (button) {
    name();
    button.addEventListener("click", function () {
      var next = isDark() ? "light" : "dark";
      root.setAttribute("data-theme", next);
      remember(next);
      name();
      changed();
    });
  }
})();
