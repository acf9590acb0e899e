/* Last of all: put everything to work. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  Trials.start();
  Ask.start(data.ask);
  Figures.start(data.figures);
  Theme.start(); // draws the figures
  if ("live" in document.documentElement.dataset) Live.start();
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => seen.observe(section));
})();
