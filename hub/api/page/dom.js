/** The element of this id. */
export const byId = (id) => document.getElementById(id);

/** A new element with these properties and children. Text stays text: nothing here is read as markup. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A button that does something when it is pressed. */
export function button(text, pressed, properties = {}, ...children) {
  const made = element("button", { type: "button", ...properties }, text, ...children);
  made.addEventListener("click", pressed);
  return made;
}

/** Tabs as the ARIA pattern has them: arrows move, and what is moved to is shown. */
export function connectTabs(list) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const select = (chosen) => {
    for (const tab of tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  list.addEventListener("click", (event) => tabs.includes(event.target) && select(event.target));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs.at((tabs.indexOf(event.target) + step) % tabs.length);
    select(next);
    next.focus();
  });
}
