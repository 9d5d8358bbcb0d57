/* The Explore page: what a reader chooses, shown as table, lines or gaps, kept in the address, taken as CSV.

   Belongs here: reading the choice, showing rows of the files of figures beside this one.
   Does not: compute an estimate, sort by a value, ask for anything but those files, or put a text in as markup. */
"use strict";

let exploreNames, exploreFigures; // called by names.js and by the files of figures

(function () {
  const MOST_LINES = 10, MOST_ROWS = 200, SVG = "http://www.w3.org/2000/svg";
  const VIEWS = ["lines", "gaps", "table"];
  const COLOURS = ["#1f4e79", "#a84a08", "#2f7d4f", "#7a1d72", "#5b4300", "#006d77", "#b4483d", "#3d4653", "#4338a8", "#8a5a00"];
  const QUOTED = /[",\r\n]/;
  const DASHES = ["", "7 4", "2 3", "10 3 2 3"];
  const figures = new Map(), asked = new Set();
  let names, choice, written = "";

  /* A text in the language of the page: the English one unless names.js says it otherwise; %(name)s is filled in. */
  const filled = (text, given) => text.replace(/%\((\w+)\)s/g, (place, name) => given[name]);
  const said = text => (names.says || {})[text];
  const _ = (text, given) => filled(said(text) ?? text, given || {});
  const ngettext = (one, many, n, given) => filled((said(one) ?? [one, many])[n === 1 ? 0 : 1], given);

  const at = id => document.getElementById(id);
  const by = (list, id) => list.findIndex(each => each.id === id);

  function made(tag, text, attributes) {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    return element;
  }

  function drawn(tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /* One decimal as on the other pages: grouped, a real minus sign, halves to the even digit. */
  function number(value) {
    const size = Math.abs(value), half = size * 4 % 2 === 1 && Number.isInteger(size * 4);
    const low = Math.floor(size * 10);
    const text = half ? ((low % 2 ? low + 1 : low) / 10).toFixed(1) : size.toFixed(1);
    const [whole, part] = text.split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",") + "." + part;
    return value < 0 && Number(text) !== 0 ? "\u2212" + grouped : grouped;
  }

  /* ---- what is chosen ---- */

  function start() {
    const first = names.indicators[0];
    return {
      indicator: first ? first.id : "", communities: names.communities.slice(0, 1).map(each => each.id),
      groups: names.groups.slice(0, 1).map(each => each.id), from: null, to: null, view: "lines",
    };
  }

  /* The choice that an address holds; what it names and the figures do not have is left out. */
  function fromAddress(fragment) {
    const said = new URLSearchParams(fragment.replace(/^#/, "")), chosen = start();
    const known = (key, list) => said.getAll(key).filter(id => by(list, id) >= 0);
    if (by(names.indicators, said.get("indicator")) >= 0) chosen.indicator = said.get("indicator");
    if (said.has("community")) chosen.communities = known("community", names.communities);
    if (said.has("group")) chosen.groups = known("group", names.groups);
    for (const key of ["from", "to"]) if (/^\d{4}$/.test(said.get(key) || "")) chosen[key] = Number(said.get(key));
    if (VIEWS.includes(said.get("view"))) chosen.view = said.get("view");
    return chosen;
  }

  function toAddress(chosen) {
    const said = new URLSearchParams();
    said.set("indicator", chosen.indicator);
    if (!chosen.communities.length) said.append("community", "");
    if (!chosen.groups.length) said.append("group", "");
    chosen.communities.forEach(id => said.append("community", id));
    chosen.groups.forEach(id => said.append("group", id));
    if (chosen.from !== null) said.set("from", chosen.from);
    if (chosen.to !== null) said.set("to", chosen.to);
    said.set("view", chosen.view);
    return "#" + said.toString();
  }

  function changed() {
    written = toAddress(choice);
    // Not location.hash: each tick of a box would be a step of the browser's way back.
    history.replaceState(null, "", written);
    show();
  }

  /* ---- figures of the choice ---- */

  const indicator = () => names.indicators.find(each => each.id === choice.indicator);

  /* [status, numerator, denominator, value, low, high] as figures.py writes it; three long: the value is what they say. */
  function cell(written) {
    if (!written) return null;
    const [status, n, d, value, low, high] = written;
    const said = written.length === 3 ? 100 * n / d : value;
    return {status: names.statuses[status], n, d, value: said ?? null, low: low ?? null, high: high ?? null};
  }

  function years(part) {
    const spans = part.lines.map(line => [line[3], line[3] + line[4].length - 1]);
    return [Math.min(...spans.map(span => span[0])), Math.max(...spans.map(span => span[1]))];
  }

  function chosenYears(part) {
    const [first, last] = years(part);
    const from = Math.max(first, choice.from ?? first), to = Math.min(last, choice.to ?? last);
    return from <= to ? [from, to] : [first, last];
  }

  /* Lines of the chosen communities and groups, in the order of the names: never by a value. */
  function lines(part, place) {
    const communities = choice.communities.map(id => by(names.communities, id));
    const groups = choice.groups.map(id => by(names.groups, id));
    return part[place].filter(line => communities.includes(line[0]) && groups.includes(line[1]))
      .sort((a, b) => a[0] - b[0] || names.group_order.indexOf(a[1]) - names.group_order.indexOf(b[1]));
  }

  function valueRows(part) {
    return lines(part, "lines").map(([community, group, series, first, cells]) => ({
      community: names.communities[community], group: names.groups[group], series: names.series[series],
      cells: new Map(cells.map((each, i) => [first + i, cell(each)])),
    }));
  }

  function gapRows(part) {
    const direction = indicator().direction, byKey = new Map(part.lines.map(line => [line.slice(0, 3).join(), line]));
    const valueOf = (community, group, series, year) => {
      const line = byKey.get([community, group, series].join());
      return cell(line[4][year - line[3]]).value;
    };
    return lines(part, "gaps").map(([community, group, other, series, first, cells]) => {
      const found = new Map();
      cells.forEach((each, i) => {
        if (!each) return;
        const year = first + i;
        if (Array.isArray(each)) { found.set(year, {value: each[1], own: each[2], beside: each[3]}); return; }
        const own = valueOf(community, group, series, year), beside = valueOf(community, other, series, year);
        found.set(year, {value: direction * (beside - own), own, beside});
      });
      return {community: names.communities[community], group: names.groups[group], other: names.groups[other],
        series: names.series[series], cells: found};
    });
  }

  /* The rows of the view that have a cell in the chosen years. */
  function chosenRows(part, from, to) {
    const rows = choice.view === "gaps" ? gapRows(part) : valueRows(part);
    return rows.filter(row => [...row.cells].some(([year, each]) => each && year >= from && year <= to));
  }

  /* ---- the form ---- */

  function options(select, list, chosen) {
    select.replaceChildren(...list.map(([value, text]) => {
      const option = made("option", text, {value});
      option.selected = String(value) === String(chosen);
      return option;
    }));
  }

  function fillIndicators() {
    const select = at("indicator"), outcomes = new Map();
    for (const each of names.indicators) outcomes.set(each.outcome, [...(outcomes.get(each.outcome) || []), each]);
    select.replaceChildren(...[...outcomes].map(([outcome, list]) => {
      const group = made("optgroup", null, {label: outcome});
      group.append(...list.map(each => made("option", each.name, {value: each.id})));
      return group;
    }));
    select.addEventListener("change", () => { choice.indicator = select.value; changed(); });
  }

  function box(kind, each, text) {
    const label = made("label"), input = made("input", null, {type: "checkbox", name: kind, value: each.id});
    input.addEventListener("change", () => {
      const list = names[kind].map(one => one.id), chosen = new Set(choice[kind]);
      input.checked ? chosen.add(each.id) : chosen.delete(each.id);
      choice[kind] = list.filter(id => chosen.has(id));
      changed();
    });
    label.append(input, " ", text);
    return label;
  }

  function fillBoxes() {
    at("communities").replaceChildren(...names.communities.map(each =>
      box("communities", each, each.left ? _("%(name)s (left in %(year)s)", {name: each.name, year: each.left}) : each.name)));
    const dimensions = new Map();
    for (const each of names.group_order.map(n => names.groups[n])) {
      dimensions.set(each.dimension, [...(dimensions.get(each.dimension) || []), each]);
    }
    at("groups").replaceChildren(...[...dimensions].map(([dimension, list]) => {
      const set = made("div", null, {role: "group", "aria-label": dimension || _("Everyone")});
      if (dimension) set.append(made("p", dimension, {class: "small"}));
      set.append(...list.map(each => box("groups", each, each.name)));
      return set;
    }));
    at("find").addEventListener("input", () => {
      const asked = at("find").value.trim().toLowerCase();
      for (const label of at("communities").children) label.hidden = !label.textContent.toLowerCase().includes(asked);
    });
    for (const [button, pick] of [["all-communities", label => !label.hidden], ["no-communities", () => false]]) {
      at(button).addEventListener("click", () => {
        choice.communities = [...at("communities").children].filter(pick).map(label => label.querySelector("input").value);
        changed();
      });
    }
    for (const view of VIEWS) at("view-" + view).addEventListener("change", () => { choice.view = view; changed(); });
    for (const key of ["from", "to"]) {
      at(key).addEventListener("change", () => { choice[key] = Number(at(key).value); changed(); });
    }
    at("csv").addEventListener("click", save);
    at("choice").addEventListener("submit", event => event.preventDefault());
  }

  function showForm(part) {
    at("indicator").value = choice.indicator;
    for (const kind of ["communities", "groups"]) {
      for (const input of at(kind).querySelectorAll("input")) input.checked = choice[kind].includes(input.value);
    }
    for (const view of VIEWS) at("view-" + view).checked = choice.view === view;
    if (part) {
      const [first, last] = years(part), [from, to] = chosenYears(part);
      const list = Array.from({length: last - first + 1}, (_, i) => [first + i, first + i]);
      options(at("from"), list, from);
      options(at("to"), list, to);
    }
    at("link").setAttribute("href", toAddress(choice));
  }

  /* ---- table ---- */

  function shownValue(each) {
    if (each.value !== null) return number(each.value);
    if (each.low !== null && each.high !== null) return number(each.low) + "\u2013" + number(each.high);
    if (each.high !== null) return "\u2264" + number(each.high);
    if (each.low !== null) return "\u2265" + number(each.low);
    return each.status.short;
  }

  const several = rows => new Set(rows.map(row => row.series)).size > 1;

  function nameOf(row, withSeries) {
    const given = {community: row.community.name, group: row.group.name, other: row.other && row.other.name};
    const name = row.other ? _("%(community)s, %(group)s, beside %(other)s", given) : given.community + ", " + given.group;
    return name + (withSeries ? " (" + row.series + ")" : "");
  }

  function table(rows, from, to, caption) {
    const whole = made("table", null, {class: "values stack"}), head = made("tr"), body = made("tbody");
    head.append(made("th", _("Community and group"), {scope: "col"}));
    for (let year = from; year <= to; year++) {
      head.append(made("th", year, {scope: "col", class: "num"}));
      whole.style.setProperty("--h" + (year - from + 2), JSON.stringify(String(year)));
    }
    const withSeries = several(rows);
    for (const row of rows.slice(0, MOST_ROWS)) {
      const line = made("tr");
      line.append(made("th", nameOf(row, withSeries), {scope: "row"}));
      for (let year = from; year <= to; year++) {
        const each = row.cells.get(year);
        line.append(made("td", each ? shownValue(each) : null));
      }
      body.append(line);
    }
    const top = made("thead");
    top.append(head);
    whole.append(made("caption", caption), top, body);
    return whole;
  }

  /* ---- picture ---- */

  function ticks(low, high) {
    const raw = (high - low) / 5, size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(m => m * size).find(each => each >= raw - 1e-12);
    const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
    return Array.from({length: last - first + 1}, (_, i) => Number(((first + i) * step).toFixed(10)));
  }

  function picture(rows, from, to, title, unit, zero) {
    const shown = rows.slice(0, MOST_LINES).map((row, i) => ({
      name: nameOf(row, several(rows)), n: i + 1, colour: COLOURS[i % COLOURS.length], dash: DASHES[i % DASHES.length],
      ranges: [...row.cells].filter(([y, c]) => c && y >= from && y <= to && c.value === null && c.low != null && c.high != null),
      points: [...row.cells].filter(([y, c]) => c && y >= from && y <= to && c.value !== null).sort((a, b) => a[0] - b[0]),
    })).filter(line => line.points.length || line.ranges.length);
    if (!shown.length) return null;
    const every = shown.flatMap(l => [...l.points.map(p => p[1].value), ...l.ranges.flatMap(r => [r[1].low, r[1].high])]);
    const low = Math.min(...every, ...(zero ? [0] : [])), high = Math.max(...every, ...(zero ? [0] : []));
    const scale = ticks(low, high > low ? high : low + 1), bottom = scale[0], top = scale[scale.length - 1];
    const across = year => 64 + 520 * (to > from ? (year - from) / (to - from) : 0.5);
    const along = value => 12 + 240 * (top - value) / (top - bottom);
    const svg = drawn("svg", {class: "chart trend", viewBox: "0 0 640 290", role: "img", "aria-labelledby": "pt pd"});
    svg.append(drawn("title", {id: "pt"}, title), drawn("desc", {id: "pd"}, shown.map(l => spoken(l, unit)).join(". ") + "."));
    for (const tick of scale) {
      svg.append(drawn("line", {class: tick === 0 && zero ? "zero" : "grid", x1: 58, x2: 592, y1: along(tick), y2: along(tick)}),
        drawn("text", {x: 52, y: along(tick), dy: ".35em", "text-anchor": "end"}, tick < 0 ? "\u2212" + -tick : tick.toLocaleString("en")));
    }
    const step = 1 + Math.floor((to - from) / 14);
    for (let year = to; year >= from; year -= step) {
      // Every other year gives way on a phone, where letters are larger against the picture.
      const css = (to - year) / step % 2 ? "tick between" : "tick";
      svg.append(drawn("text", {class: css, x: across(year), y: 276, "text-anchor": "middle"}, year));
    }
    for (const line of shown) svg.append(strokes(line, across, along, unit));
    return {svg, legend: legend(shown, unit)};
  }

  function strokes(line, across, along, unit) {
    const group = drawn("g", {fill: "none", stroke: line.colour});
    let path = "";
    line.points.forEach(([year, each], i) => {
      // Neighbouring years only: a line across a missing year would show values that nobody reported.
      const joined = i && line.points[i - 1][0] === year - 1;
      path += (joined ? "L" : "M") + across(year).toFixed(1) + " " + along(each.value).toFixed(1);
    });
    group.append(drawn("path", {d: path, "stroke-width": 2, "stroke-dasharray": line.dash}));
    for (const [year, each] of line.ranges) {
      group.append(drawn("line", {x1: across(year), x2: across(year), y1: along(each.low), y2: along(each.high), "stroke-width": 4, opacity: .45}));
    }
    for (const [year, each] of line.points) {
      const dot = drawn("circle", {cx: across(year), cy: along(each.value), r: 3, fill: line.colour});
      dot.append(drawn("title", {}, line.name + ", " + year + ": " + number(each.value) + unit));
      group.append(dot);
    }
    const end = line.points[line.points.length - 1] || line.ranges[line.ranges.length - 1];
    const height = along(end[1].value ?? end[1].high);
    group.append(drawn("text", {x: across(end[0]) + 8 + 13 * ((line.n - 1) % 3), y: height, dy: ".35em", style: "fill:" + line.colour, stroke: "none"}, line.n));
    return group;
  }

  function spoken(line, unit) {
    if (!line.points.length) return _("%(line)s: ranges only", {line: line.name});
    const [first, last] = [line.points[0], line.points[line.points.length - 1]];
    const inYear = ([year, each]) => _("%(value)s in %(year)s", {value: number(each.value) + unit, year});
    return line.name + ": " + (first === last ? inYear(last) : inYear(first) + ", " + inYear(last));
  }

  function legend(shown, unit) {
    const list = made("ol", null, {class: "legend"});
    list.append(...shown.map(line => {
      const item = made("li", null, {value: line.n});
      const key = drawn("svg", {viewBox: "0 0 36 10", width: 36, height: 10, "aria-hidden": "true"});
      key.append(drawn("line", {x1: 0, x2: 36, y1: 5, y2: 5, stroke: line.colour, "stroke-width": 3, "stroke-dasharray": line.dash}));
      item.append(key, " ", spoken(line, unit));
      return item;
    }));
    return list;
  }

  /* ---- what is said about it ---- */

  const span = (from, to) => from === to ? String(from) : _("%(from)s to %(to)s", {from, to});

  function summary(rows, from, to) {
    const found = new Map();
    let values = 0;
    for (const row of rows) {
      for (const [year, each] of row.cells) {
        if (!each || year < from || year > to) continue;
        if (each.value !== null) values++;
        else found.set(each.status.words, (found.get(each.status.words) || 0) + 1);
      }
    }
    const without = [...found].sort((a, b) => a[0] < b[0] ? -1 : 1).map(([words, n]) => n.toLocaleString("en") + " " + words);
    const lines = ngettext("%(n)s line", "%(n)s lines", rows.length, {n: rows.length.toLocaleString("en")});
    const exact = ngettext("%(n)s value", "%(n)s values", values, {n: values.toLocaleString("en")});
    return lines + ", " + exact + ", " + span(from, to) + "."
      + (without.length ? " " + _("Without an exact value: %(parts)s.", {parts: without.join("; ")}) : "");
  }

  function show() {
    const part = figures.get(choice.indicator);
    showForm(part);
    if (!part) { load(); return; }
    const [from, to] = chosenYears(part), gaps = choice.view === "gaps", about = indicator();
    const rows = chosenRows(part, from, to);
    const name = {indicator: about.name};
    at("chosen").textContent = gaps ? _("%(indicator)s: gaps between groups", name) : about.name;
    at("said").textContent = !names.communities.length ? _("There is no community.") : rows.length ? summary(rows, from, to)
      : gaps ? _("No gap is stated for this choice: choose groups that are compared with another one, not everyone.")
        : _("No row for this choice: choose at least one community and one group that it reported.");
    const unit = gaps ? " " + about.gap_unit : about.unit, pictures = [], seen = [];
    if (choice.view !== "table" && rows.length) {
      const title = (gaps ? _("%(indicator)s, gaps", name) : about.name) + ", " + span(from, to);
      const chart = picture(rows, from, to, title, unit, gaps);
      if (chart) { pictures.push(chart.svg); seen.push(chart.legend); }
      if (gaps) seen.push(made("p", _("Above zero a group is behind the one it is compared with. Each point is the difference of two values of one year; where either is withheld, suppressed or missing, no gap is stated. What became of a gap is decided by fitted lines and stands on each community\u2019s page."), {class: "small"}));
      if (rows.length > MOST_LINES) seen.push(made("p", _("Drawn are the first %(most)s of %(n)s lines, by name.", {most: MOST_LINES, n: rows.length}), {class: "small"}));
    }
    at("picture").replaceChildren(...pictures);
    at("picture").hidden = !pictures.length;
    at("beside").replaceChildren(...seen);
    const caption = gaps ? _("%(indicator)s, gap in %(unit)s; communities by name", {...name, unit: about.gap_unit})
      : about.unit ? _("%(indicator)s, in %(unit)s; communities by name", {...name, unit: about.unit.trim()})
        : _("%(indicator)s; communities by name", name);
    at("rows").replaceChildren(...(rows.length ? [table(rows, from, to, caption)] : []));
    at("cut").textContent = rows.length > MOST_ROWS
      ? _("The table shows the first %(most)s of %(n)s lines by name; the CSV holds them all.", {most: MOST_ROWS, n: rows.length}) : "";
    at("csv").disabled = !rows.length;
  }

  /* ---- CSV ---- */

  function field(value) {
    if (value === null || value === undefined) return "";
    let text = String(value);
    if (typeof value === "string" && names.formula.includes(text[0])) text = "'" + text;
    return QUOTED.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  function csv() {
    const part = figures.get(choice.indicator), [from, to] = chosenYears(part), gaps = choice.view === "gaps";
    const heads = gaps
      ? ["community_id", "community", "indicator_id", "population_group_id", "group", "reference_group_id", "school_year", "series", "group_value", "reference_value", "gap"]
      : ["community_id", "community", "indicator_id", "population_group_id", "group", "school_year", "series", "value", "value_low", "value_high", "numerator", "denominator", "value_status"];
    const out = [heads];
    for (const row of chosenRows(part, from, to)) {
      const head = [row.community.id, row.community.name, choice.indicator, row.group.id, row.group.name];
      for (const [year, each] of [...row.cells].sort((a, b) => a[0] - b[0])) {
        if (!each || year < from || year > to) continue;
        out.push(gaps ? [...head, row.other.id, year, row.series, each.own, each.beside, each.value]
          : [...head, year, row.series, each.value, each.low, each.high, each.n, each.d, each.status.id]);
      }
    }
    return out.map(row => row.map(field).join(",") + "\r\n").join("");
  }

  function save() {
    const link = made("a", null, {download: ("explore-" + choice.indicator + "-" + choice.view).replace(/[^A-Za-z0-9_-]/g, "_") + ".csv"});
    link.href = URL.createObjectURL(new Blob([csv()], {type: "text/csv;charset=utf-8"}));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /* ---- files of figures ---- */

  function load() {
    const about = indicator();
    if (!about) { at("said").textContent = _("There is no figure to explore."); return; }
    at("said").textContent = _("Reading the figures \u2026");
    if (asked.has(about.id)) return;
    asked.add(about.id);
    const folder = names.folder || "explore/";
    const script = made("script", null, {src: folder + encodeURIComponent(about.file)});
    script.addEventListener("error", () => {
      at("said").textContent = _("The file %(file)s is missing beside this page: copy the whole folder of the report.", {file: folder + about.file});
    });
    document.head.append(script);
  }

  exploreFigures = part => { figures.set(part.indicator, part); if (choice && choice.indicator === part.indicator) show(); };
  exploreNames = given => { names = given; };

  document.addEventListener("DOMContentLoaded", () => {
    if (!names) return; // names.js is missing; the page's own words stand
    at("explorer").hidden = false;
    at("needs-script").hidden = true;
    fillIndicators();
    fillBoxes();
    choice = fromAddress(location.hash);
    show();
    window.addEventListener("hashchange", () => {
      if (location.hash === written || location.hash === "#main" || location.hash === "#chosen") return;
      choice = fromAddress(location.hash);
      show();
    });
  });
})();
