/* News of a sweep that runs: asked for every few seconds, put in place without losing what the reader is doing. */
const Live = (() => {
  const EVERY = 2000;
  const KEPT = new Set(["open", "hidden", "aria-pressed", "aria-sort", "aria-invalid"]);
  let tag = null;
  const pulse = (text, lost) => {
    const place = document.getElementById("pulse");
    place.toggleAttribute("data-lost", lost);
    if (place.lastElementChild.textContent !== text) place.lastElementChild.textContent = text;
  };
  function put(news) {
    const fresh = document.createElement("main");
    fresh.innerHTML = news.body;
    Idiomorph.morph(document.getElementById("main"), fresh, {
      morphStyle: "innerHTML",
      ignoreActiveValue: true,
      callbacks: {
        beforeNodeMorphed: (old, next) => {
          if (old.classList?.contains("plot")) return old.id !== next.id;
          if (old.id === "filter-state") return options(old, next);
          return !/^(INPUT|OUTPUT)$/.test(old.tagName);
        },
        beforeAttributeUpdated: (name) => !KEPT.has(name),
      },
    });
    Figures.load(news.data.figures);
    Figures.all();
    Ask.again(news.data.ask);
    Trials.again();
  }
  /* New states join the choice; the one chosen stays. */
  function options(old, next) {
    const chosen = old.value;
    old.replaceChildren(...[...next.children].map((option) => option.cloneNode(true)));
    old.value = chosen;
    return false;
  }
  async function ask() {
    try {
      const answer = await fetch("state", { cache: "no-store", headers: { "If-None-Match": tag } });
      if (answer.status === 200) {
        const news = await answer.json();
        tag = answer.headers.get("ETag");
        put(news);
        pulse("live", false);
      } else if (answer.status === 304) pulse("live", false);
      else pulse(await answer.text(), true);
    } catch {
      pulse("sweep serve does not answer: what stands here may be old", true);
    }
    setTimeout(ask, document.hidden ? 5 * EVERY : EVERY);
  }
  function start() {
    tag = document.documentElement.dataset.live;
    setTimeout(ask, EVERY);
  }
  return { start };
})();
