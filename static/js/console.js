// What makes the console quicker to use. Every page works without this file.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = (text) => (one("#live").textContent = text);
  const isDocument = (xhr) => /^\s*<!doctype/i.test(xhr.responseText);

  // Dialogs: a link with data-dialog opens its address in the one <dialog>; a click with a modifier key stays a link.
  const dialog = one("#dialog");
  const dialogContent = one("#dialog-content");
  let dialogAddress = "";

  const openDialog = (address) => {
    dialogAddress = address;
    htmx.ajax("GET", address, { source: dialogContent, target: dialogContent, swap: "innerHTML" });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && window.htmx) {
      event.preventDefault();
      link.closest("[popover]")?.hidePopover();
      openDialog(link.href);
    }
    if (event.target.closest("[data-dialog-close]") && dialog.open) {
      event.preventDefault();
      dialog.close();
    }
    if (event.target === dialog && !dialog.querySelector("form")) dialog.close(); // the backdrop; typed text is kept
  });
  dialog.addEventListener("close", () => dialogContent.replaceChildren());

  const focusInto = (root) => {
    const target =
      one("[data-focus]", root) ||
      one("[autofocus]", root) ||
      one("input:not([type=hidden]):not(:disabled), select:not(:disabled), textarea:not(:disabled)", root) ||
      one("[tabindex='-1']", root);
    target?.focus();
  };

  // Answers: a whole page is never put into a part of one, unless data-hx-select cuts the part out of it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target, requestConfig } = event.detail;
    if (!event.detail.shouldSwap || !isDocument(xhr) || requestConfig.elt.closest("[data-hx-select]")) return;
    event.detail.shouldSwap = false;
    const elsewhere = xhr.responseURL && new URL(xhr.responseURL).pathname !== location.pathname;
    if (target === dialogContent && elsewhere) location.assign(xhr.responseURL);
  });

  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig.verb === "get") {
      if (event.detail.target === dialogContent && !dialog.open) location.assign(dialogAddress);
      return;
    }
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    complain(one("[data-explanation]", page)?.textContent || "This did not go through. Reload the page and try once more.");
  });
  document.addEventListener("htmx:sendError", () => complain("The server cannot be reached. Check your connection and try once more."));

  const complain = (text) => {
    const place = dialog.open ? one(".modal-body", dialog) || dialogContent : one("#messages");
    all("[data-complaint]").forEach((old) => old.remove());
    const alert = document.createElement("div");
    alert.className = "alert alert-danger";
    alert.setAttribute("role", "alert");
    alert.dataset.complaint = "";
    alert.tabIndex = -1;
    alert.textContent = text;
    place?.prepend(alert);
    alert.focus();
  };

  // What is about to be replaced says so.
  const busy = (is) => ({ detail: { target } }) => target?.setAttribute("aria-busy", is);
  document.addEventListener("htmx:beforeSend", busy(true));
  document.addEventListener("htmx:afterRequest", busy(false));

  // Focus after a swap: into a dialog, else where it was; never lost to the top of the page.
  // htmx names the target as it was; what was replaced whole stands there anew, under the same id.
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const target = detail.target.isConnected ? detail.target : document.getElementById(detail.target.id);
    if (!target) return;
    if (target === dialogContent) {
      if (one("#dialog-title")) dialog.setAttribute("aria-labelledby", "dialog-title");
      if (!dialog.open) dialog.showModal();
      focusInto(dialogContent);
      return;
    }
    const heard = one("[data-announce]", target);
    if (heard) say(heard.dataset.announce || heard.textContent.trim());
    all("[data-filter]", dialog.open ? dialog : document).forEach(filter);
    if (document.activeElement === document.body) {
      if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
      target.focus({ preventScroll: true });
    }
  });

  // A form with data-dialog opens the address of its button, with what is filled in, in the dialog.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (!form.matches("[data-dialog]") || !window.htmx) return;
    event.preventDefault();
    const address = new URL(submitter?.formAction || form.action);
    address.search = new URLSearchParams(new FormData(form, submitter));
    openDialog(address.href);
  });

  // Lines of a list that can be ticked: all of the page at once, and how many are.
  const countChosen = () => {
    const form = one("[data-choices]");
    if (!form) return;
    const boxes = [...form.elements].filter((box) => box.name === "customer");
    const chosen = boxes.filter((box) => box.checked).length;
    const isAll = Boolean(form.elements.all?.checked);
    const whole = one("[data-choose-all]", form);
    whole.checked = chosen > 0 && chosen === boxes.length;
    whole.indeterminate = chosen > 0 && chosen < boxes.length;
    one("[data-when-chosen]", form).hidden = !chosen && !isAll;
    one("[data-chosen-count]", form).textContent = isAll ? "All that match" : `${chosen} chosen`;
  };
  document.addEventListener("change", ({ target }) => {
    const form = target.form;
    if (!form?.matches("[data-choices]")) return;
    if (target.matches("[data-choose-all]")) {
      [...form.elements].filter((box) => box.name === "customer").forEach((box) => (box.checked = target.checked));
    }
    if (target.name === "customer" && form.elements.all) form.elements.all.checked = false;
    countChosen();
  });
  document.addEventListener("htmx:afterSettle", countChosen);
  addEventListener("pageshow", countChosen);

  // Buttons: one press, one submission. A page that comes back from the browser's memory starts afresh.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || form.matches("[data-hx-post]")) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {
    all("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });

  // A filter that is not set stays out of the address.
  document.addEventListener("formdata", ({ target, formData }) => {
    if (!target.matches(".filters")) return;
    [...formData].forEach(([name, value]) => value === "" && formData.delete(name));
  });

  // A control with data-submit sends its form as soon as it changes (filters).
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-submit]")) target.form.requestSubmit();
  });

  document.addEventListener("click", ({ target }) => {
    target.closest("[data-dismiss]")?.closest(".alert")?.remove();
    if (target.closest("[data-print]")) print();
    const copied = target.closest("[data-copy]");
    if (copied) navigator.clipboard?.writeText(copied.dataset.copy).then(() => say("Copied."));
  });

  // A text field with data-filter="#list" hides the items of the list that do not contain every word.
  const filter = (field) => {
    const list = one(field.dataset.filter);
    if (!list) return;
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const items = all("[data-filter-text]", list);
    items.forEach((item) => {
      const text = item.dataset.filterText.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    });
    const shown = items.filter((item) => !item.hidden).length;
    const none = one("[data-filter-none]", list);
    if (none) none.hidden = shown > 0 || items.length === 0;
    if (document.activeElement === field) say(`${shown} of ${items.length} shown`);
  };
  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-filter]")) filter(target);
  });

  // Search: "/" goes there; the arrow keys walk through what was found; Escape leaves.
  const search = one("#quick-search");
  const results = one("#quick-results");
  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]");
  const showResults = (shown) => {
    if (!results) return;
    results.hidden = !shown;
    if (!shown) results.replaceChildren();
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || dialog.open || isTyping(event.target)) return;
    const field = search || one("input[type=search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });

  if (search && results) {
    search.addEventListener("htmx:beforeRequest", (event) => {
      if (search.value.trim().length >= 2) return;
      event.preventDefault();
      showResults(false);
    });
    results.addEventListener("htmx:afterSwap", () => showResults(results.childElementCount > 0 && search.value.trim().length >= 2));
    search.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !results.hidden) {
        event.preventDefault();
        showResults(false);
        search.focus();
      }
    });
    search.form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!search.form.contains(relatedTarget)) showResults(false);
    });
    results.addEventListener("mousedown", (event) => event.preventDefault()); // a press must not take the focus and close the list
  }

  // Arrow keys inside menus and search results.
  document.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const opener = event.target.closest("[popovertarget], #quick-search");
    const menu = opener
      ? opener === search ? results : one(".menu:popover-open")
      : event.target.closest(".menu:popover-open, #quick-results");
    if (!menu || menu.hidden || event.target.matches("[type=radio]")) return;
    const items = all("a[href], button:not(:disabled)", menu);
    if (!items.length || (opener && !event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const at = items.indexOf(document.activeElement);
    if (at === 0 && step < 0 && menu === results) return search.focus();
    const next = { Home: 0, End: items.length - 1 }[event.key] ?? (at < 0 ? (step > 0 ? 0 : -1) : at + step);
    items.at(next % items.length).focus();
  });

  // Menus where the browser cannot place a popover beside its button by itself.
  if (!CSS.supports("position-area", "block-end")) {
    document.addEventListener("toggle", (event) => {
      const menu = event.target;
      if (event.newState !== "open" || !menu.matches(".menu")) return;
      const box = one(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
      const below = box.bottom + menu.offsetHeight < innerHeight;
      menu.style.inset = "auto";
      menu.style.top = `${Math.max(8, below ? box.bottom : box.top - menu.offsetHeight)}px`;
      menu.style.left = `${Math.max(8, box.right - menu.offsetWidth)}px`;
    }, true);
  }

  // A form that came back with messages.
  one("[data-focus]")?.focus();
})();
