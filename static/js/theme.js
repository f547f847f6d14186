// Loaded before the page is painted, so that a dark page never flashes white. "auto" follows the system.
(() => {
  "use strict";
  const KEY = "theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto"; // storage may be switched off
    }
  };

  const apply = () => {
    const theme = chosen() === "auto" ? (system.matches ? "dark" : "light") : chosen();
    document.documentElement.dataset.bsTheme = theme === "dark" ? "dark" : "light";
  };

  apply();
  document.documentElement.classList.add("js");
  system.addEventListener("change", apply);
  addEventListener("storage", apply);

  document.addEventListener("change", ({ target }) => {
    if (!target.matches("[name=theme]")) return;
    try {
      localStorage.setItem(KEY, target.value);
    } catch {
      // then it lasts as long as the page
    }
    apply();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const radio = document.querySelector(`[name=theme][value="${CSS.escape(chosen())}"]`);
    if (radio) radio.checked = true;
  });
})();
