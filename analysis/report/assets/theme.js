"use strict";
/* Colours: tokens of the figures to colours of the theme in force, and the button that chooses it. */
const Theme = (() => {
  const RAMP = [[0, 32, 77], [0, 52, 110], [57, 72, 107], [87, 93, 109], [112, 113, 115], [138, 134, 120],
    [166, 157, 117], [196, 180, 108], [228, 207, 91], [255, 234, 70]]; // cividis
  const CATEGORIES = {
    light: ["#d55e00", "#00805f", "#a64d79", "#8a6d00", "#7a5195", "#0072b2"],
    dark: ["#ff9a55", "#4fd0a5", "#e69bc4", "#e3c55a", "#b99af0", "#5db8f0"],
  };
  const NAMED = {
    light: { ink: "#1d1e20", soft: "#4a4d52", muted: "#696d74", grid: "#ece9e1", card: "#ffffff", accent: "#0b5f80" },
    dark: { ink: "#ebe9e4", soft: "#c3c4c6", muted: "#989ca3", grid: "#292d34", card: "#1a1d22", accent: "#7cc7e8" },
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const ORDER = ["auto", "light", "dark"];
  const listeners = [];
  let choice = "auto", printing = false;
  try { choice = localStorage.getItem("interplay-theme") || "auto"; } catch { /* no storage for this page */ }
  if (!ORDER.includes(choice)) choice = "auto";

  const mode = () => printing ? "light" : choice === "auto" ? (system.matches ? "dark" : "light") : choice;

  function ramp(place) {
    const dark = mode() === "dark", at = (dark ? 0.97 - 0.72 * place : 0.80 * place) * (RAMP.length - 1);
    const below = Math.min(Math.floor(at), RAMP.length - 2), share = at - below;
    const light = dark ? 0.5 * place : 0; // the dark end of the ramp would vanish on a dark page
    return RAMP[below].map((from, i) => from + share * (RAMP[below + 1][i] - from))
      .map((value, i) => Math.round(value + light * ([150, 190, 255][i] - value)));
  }
  const hex = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));

  function colour(token) {
    const [name, opacity] = token.slice(1).split("~");
    const [kind, value] = name.split(":");
    const rgb = kind === "seq" ? ramp(Number(value))
      : hex(kind === "cat" ? CATEGORIES[mode()][Number(value)] : NAMED[mode()][kind]);
    return opacity ? `rgba(${rgb.join(",")},${opacity})` : `rgb(${rgb.join(",")})`;
  }
  /* A copy of a figure's traces or layout in which every token is a colour. */
  function resolve(value) {
    if (typeof value === "string") return /^@[a-z]+/.test(value) ? colour(value) : value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value.slice() : value.map(resolve); // Plotly writes
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
    }
    return value;
  }
  function apply() {
    const root = document.documentElement;
    if (printing || choice !== "auto") root.dataset.theme = mode(); else delete root.dataset.theme;
    const button = document.getElementById("theme");
    const word = { auto: "automatic", light: "light", dark: "dark" }[choice];
    button.textContent = choice[0].toUpperCase() + choice.slice(1);
    button.setAttribute("aria-label", `Colour theme: ${word}`);
    listeners.forEach((listener) => listener());
  }
  function start() {
    document.getElementById("theme").addEventListener("click", () => {
      choice = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length];
      try { localStorage.setItem("interplay-theme", choice); } catch { /* kept for this visit only */ }
      apply();
    });
    system.addEventListener("change", apply);
    const paper = (on) => () => { printing = on; apply(); };
    addEventListener("beforeprint", paper(true));
    addEventListener("afterprint", paper(false));
    apply();
  }
  return { start, resolve, onChange: (listener) => listeners.push(listener), onPaper: () => printing };
})();
