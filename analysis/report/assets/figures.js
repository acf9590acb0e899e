/* Figures: drawn by Plotly, one after the other so that the page answers meanwhile; zoomed by mouse or keys. */
const Figures = (() => {
  const chosen = new Map(); // the view of each figure
  let specs = new Map();
  const touch = matchMedia("(pointer: coarse)");
  const PAPER = { width: 660, height: 330 }; // pixels that fit between the margins of A4 and of Letter
  const CONFIG = {
    displaylogo: false, responsive: true, displayModeBar: "hover", doubleClick: "reset",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    toImageButtonOptions: { format: "svg" },
  };

  function look(layout, narrow) {
    const axis = {
      gridcolor: "@grid", zeroline: false, linecolor: "@grid", ticks: "", automargin: true,
      title: { standoff: 12, font: { size: 12, color: "@soft" } }, tickfont: { size: 11.5, color: "@muted" },
    };
    const join = (given) => ({ ...axis, ...given, title: { ...axis.title, ...(given.title || {}) } });
    const legend = {
      orientation: "h", x: 0, xanchor: "left", y: narrow ? -0.24 : -0.19, yanchor: "top", font: { size: 12, color: "@soft" },
      bgcolor: "rgba(0,0,0,0)", itemsizing: "trace", tracegroupgap: 0,
    };
    return {
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", uirevision: "kept",
      font: { family: "Inter, system-ui, sans-serif", size: 12, color: "@soft" },
      margin: { l: 56, r: 14, t: 18, b: 56 },
      hovermode: "closest", dragmode: touch.matches ? false : "zoom",
      hoverlabel: { bgcolor: "@card", bordercolor: "@muted", font: { family: "Inter, system-ui, sans-serif", size: 12, color: "@ink" }, align: "left" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: "@muted", activecolor: "@accent" },
      xaxis: join(layout.xaxis), yaxis: join(layout.yaxis),
      legend: { ...legend, ...(layout.legend || {}), title: { font: { size: 12, color: "@muted" }, side: "left", ...((layout.legend || {}).title || {}) } },
    };
  }

  async function draw(plot) {
    const spec = specs.get(plot.dataset.figure);
    if (!spec) return;
    const view = spec.views[Math.min(chosen.get(spec.id) || 0, spec.views.length - 1)];
    const layout = Theme.resolve(look(view.layout, plot.clientWidth < 560));
    layout.uirevision = view.label;
    if (Theme.onPaper()) Object.assign(layout, { width: PAPER.width, height: PAPER.height });
    const markers = Theme.resolve(view.data).map((trace) => ({ hoverinfo: "text", ...trace }));
    await Plotly.react(plot, markers, layout, { ...CONFIG, toImageButtonOptions: { format: "svg", filename: spec.id } });
    plot.dataset.drawn = "";
  }
  const pause = () => new Promise((done) => setTimeout(done, 0));

  async function all() {
    if (Theme.onPaper()) { // nobody waits for us: Plotly does all of it before it returns
      document.querySelectorAll(".plot").forEach(draw);
      return;
    }
    for (const plot of document.querySelectorAll(".plot")) {
      await draw(plot);
      await pause();
    }
    window.drawnAt ??= performance.now();
    document.documentElement.dataset.figures = "drawn";
  }
  function load(figures) {
    specs = new Map(figures.map((figure) => [figure.id, figure]));
  }

  /* + and − zoom about the middle, arrows move by a tenth, 0 resets: on the axes' own scales. */
  function keys(event) {
    const plot = event.target.closest?.(".plot");
    if (!plot || event.target !== plot || !plot._fullLayout || event.ctrlKey || event.metaKey || event.altKey) return;
    const x = [...plot._fullLayout.xaxis.range], y = [...plot._fullLayout.yaxis.range];
    const scaled = ([a, b], f) => [(a + b) / 2 - (b - a) * f / 2, (a + b) / 2 + (b - a) * f / 2];
    const moved = ([a, b], f) => [a + (b - a) * f, b + (b - a) * f];
    const act = {
      "+": () => [scaled(x, 0.8), scaled(y, 0.8)], "=": () => [scaled(x, 0.8), scaled(y, 0.8)],
      "-": () => [scaled(x, 1.25), scaled(y, 1.25)],
      ArrowLeft: () => [moved(x, -0.1), y], ArrowRight: () => [moved(x, 0.1), y],
      ArrowUp: () => [x, moved(y, 0.1)], ArrowDown: () => [x, moved(y, -0.1)],
    }[event.key];
    if (act) {
      const [nx, ny] = act();
      Plotly.relayout(plot, { "xaxis.range": nx, "yaxis.range": ny });
    } else if (event.key === "0") {
      const view = specs.get(plot.dataset.figure).views[chosen.get(plot.dataset.figure) || 0];
      const range = (axis, name) => axis.range ? { [`${name}.range`]: axis.range } : { [`${name}.autorange`]: true };
      Plotly.relayout(plot, { ...range(view.layout.xaxis, "xaxis"), ...range(view.layout.yaxis, "yaxis") });
    } else return;
    event.preventDefault();
  }
  function pick(event) {
    const button = event.target.closest?.(".views button");
    if (!button) return;
    const plot = button.closest(".chart").querySelector(".plot");
    chosen.set(plot.dataset.figure, Number(button.dataset.view));
    for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
    draw(plot);
  }
  function start(figures) {
    load(figures);
    document.addEventListener("keydown", keys);
    document.addEventListener("click", pick);
    Theme.onChange(all);
  }
  return { start, load, all };
})();
