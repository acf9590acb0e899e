/* A shape for a size: ln L read off each law's grid in ln N; d from N = k·L·d². */
const Ask = (() => {
  const UNITS = { k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12 };
  let data = null;
  const $ = (id) => document.getElementById(id);

  function parse(text) {
    const match = /^\s*([0-9][0-9.,_]*(?:e[+-]?\d+)?)\s*([kmbgt])?\s*$/i.exec(text);
    if (!match) return null;
    const value = Number(match[1].replace(/[,_]/g, "")) * (match[2] ? UNITS[match[2].toLowerCase()] : 1);
    return value >= 1e4 && value <= 1e13 ? value : null;
  }
  function words(value) {
    const unit = [["T", 1e12], ["B", 1e9], ["M", 1e6], ["K", 1e3]].find(([, size]) => value >= size * 0.9995) || ["", 1];
    return `${Number((value / unit[1]).toPrecision(3))}${unit[0]}`;
  }
  const layers = (value) => value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString("en");

  function at(values, place) {
    const below = Math.min(Math.floor(place), values.length - 2), share = place - below;
    return Math.exp(values[below] + share * (values[below + 1] - values[below]));
  }
  function answer(params) {
    const grid = data.log_params, last = grid.length - 1;
    const place = (Math.log(params) - grid[0]) / (grid[last] - grid[0]) * last;
    for (const row of document.querySelectorAll("#ask-table tbody tr")) {
      const law = data.laws[Number(row.dataset.law)];
      if (!law) continue;
      const depth = at(law.depth, place), cells = row.querySelectorAll("td");
      const [low, high] = law.range || [0, 0];
      const times = !law.range ? null : params > high ? params / high : params < low ? low / params : 0;
      cells[0].textContent = layers(depth);
      cells[1].textContent = law.low ? `${layers(at(law.low, place))} to ${layers(at(law.high, place))}` : "none known";
      cells[2].textContent = Math.round(Math.sqrt(params / (law.k * depth))).toLocaleString("en");
      cells[3].textContent = times === null ? "its sizes are not known" : times === 0 ? "inside" : `${words(times)}×`;
    }
  }
  function fromText() {
    const params = parse($("ask-size").value);
    $("ask-size").setAttribute("aria-invalid", String(params === null));
    if (params === null) return;
    $("ask-slide").value = Math.log10(params);
    answer(params);
  }
  function fromSlide() {
    const params = 10 ** Number($("ask-slide").value);
    $("ask-size").value = words(params);
    $("ask-size").setAttribute("aria-invalid", "false");
    answer(params);
  }
  function start(given) {
    data = given;
    document.addEventListener("input", (event) => {
      if (event.target.id === "ask-size") fromText();
      if (event.target.id === "ask-slide") fromSlide();
    });
    fromText();
  }
  return { start, again: (given) => { data = given; fromText(); } };
})();
