/* The Explore page: what a reader chooses, shown as table, lines or gaps, kept in the address, taken as CSV.

   Belongs here: reading the choice, showing rows of the files of figures beside this one.
   Does not: draw (picture.js), compute an estimate, sort by a value, ask for anything but those files, or put a text in as markup. */
"use strict";

let exploreNames, exploreFigures; // called by names.js and by the files of figures

(function () {
  const MOST_ROWS = 200, SVG = "http://www.w3.org/2000/svg";
  const VIEWS = ["lines", "gaps", "table"], BESIDE = ["network", "targets"];
  const QUOTED = /[",\r\n]/;
  const figures = new Map(), asked = new Set();
  let names, choice, written = "";

  /* A text in the language of the page: the English one unless names.js says it otherwise; %(name)s is filled in. */
  const filled = (text, given) => text.replace(/%\((\w+)\)s/g, (place, name) => given[name]);
  const said = text => (names.says || {})[text];
  const _ = (text, given) => filled(said(text) ?? text, given || {});
  const ngettext = (one, many, n, given) => filled((said(one) ?? [one, many])[n === 1 ? 0 : 1], given);

  const draw = explorePicture({_, ngettext, number, made, drawn});
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

  /* Letters as somebody types them who looks for a name: small, without accents, one blank between words. */
  const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();

  /* ---- what is chosen ---- */

  function start() {
    const first = names.indicators[0];
    return {
      indicator: first ? first.id : "", communities: names.communities.slice(0, 1).map(each => each.id),
      groups: names.groups.slice(0, 1).map(each => each.id), from: null, to: null, view: "lines", beside: BESIDE, lacking: {},
    };
  }

  /* The choice that an address holds; what it names and the figures do not have is left out and counted, to be said. */
  function fromAddress(fragment) {
    const said = new URLSearchParams(fragment.replace(/^#/, "")), chosen = start();
    const known = (key, list) => {
      const named = [...new Set(said.getAll(key))].filter(id => id), held = named.filter(id => by(list, id) >= 0);
      chosen.lacking[key] = named.length - held.length;
      return held;
    };
    const [asked] = known("indicator", names.indicators);
    if (asked) chosen.indicator = asked;
    if (said.has("community")) chosen.communities = known("community", names.communities);
    if (said.has("group")) chosen.groups = known("group", names.groups);
    for (const key of ["from", "to"]) if (/^\d{4}$/.test(said.get(key) || "")) chosen[key] = Number(said.get(key));
    if (VIEWS.includes(said.get("view"))) chosen.view = said.get("view");
    // A link that was kept before there were such rows shows what it showed.
    if (said.has("beside") || said.has("indicator")) chosen.beside = BESIDE.filter(each => said.getAll("beside").includes(each));
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
    (chosen.beside.length ? chosen.beside : [""]).forEach(each => said.append("beside", each));
    return "#" + said.toString();
  }

  function changed() {
    choice.lacking = {}; // said of the link; the reader has chosen since
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

  /* The chosen years of which there is something; the first after the last where there are none. */
  function heldYears(part) {
    const [first, last] = years(part);
    return [Math.max(first, choice.from ?? first), Math.min(last, choice.to ?? last)];
  }

  function chosenYears(part) {
    const [from, to] = heldYears(part);
    return from <= to ? [from, to] : years(part);
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

  const wanted = which => choice.view !== "gaps" && choice.beside.includes(which);

  /* The network's own rows: for each chosen group the rate of all people that could be added up. */
  function pooledRows(part) {
    if (!wanted("network")) return [];
    const groups = choice.groups.map(id => by(names.groups, id));
    return part.network.filter(line => groups.includes(line[0]))
      .sort((a, b) => names.group_order.indexOf(a[0]) - names.group_order.indexOf(b[0]))
      .map(([group, first, cells]) => ({
        group: names.groups[group], name: _("Network, people added up: %(group)s", {group: names.groups[group].name}),
        cells: new Map(cells.map((each, i) => [first + i, pooled(each, names.groups[group], first + i)])),
      }));
  }

  /* [rate, communities, reporting year where it is not the school year] as beside.py writes it. */
  function pooled(written, group, year) {
    if (!written) return null;
    const [value, n, known = year] = written;
    return {value, n, known, row: "fct_network_trend:" + [choice.indicator, group.id, known].join("/")};
  }

  function targetRows(part) {
    if (!wanted("targets")) return [];
    return lines(part, "targets").map(([who, whose, by, until, status, value, baseline, baselineYear]) => {
      const [community, group, deadline, horizon] = [names.communities[who], names.groups[whose], names.deadlines[by], names.horizons[until]];
      return {community, group, deadline, horizon, status: names.target_statuses[status], value, baseline, baselineYear, year: Number(deadline.id.slice(0, 4)),
        row: "fct_target_progress:" + [community.id, choice.indicator, group.id, deadline.id, horizon.id].join("/")};
    });
  }

  /* What the choice shows: rows of communities and of the network that have a cell in the chosen years, and targets. */
  function chosenRows(part, from, to) {
    const held = row => [...row.cells].some(([year, each]) => each && year >= from && year <= to);
    const rows = (choice.view === "gaps" ? gapRows(part) : valueRows(part)).filter(held), withSeries = several(rows);
    for (const row of rows) row.name = nameOf(row, withSeries);
    return {rows, pooled: pooledRows(part).filter(held), targets: targetRows(part)};
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
      const asked = plain(at("find").value), labels = [...at("communities").children];
      for (const label of labels) label.hidden = !plain(label.textContent).includes(asked);
      at("none-found").hidden = !labels.length || labels.some(label => !label.hidden);
      at("all-communities").disabled = !at("none-found").hidden;
    });
    for (const [button, pick] of [["all-communities", label => !label.hidden], ["no-communities", () => false]]) {
      at(button).addEventListener("click", () => {
        choice.communities = [...at("communities").children].filter(pick).map(label => label.querySelector("input").value);
        changed();
      });
    }
    for (const view of VIEWS) at("view-" + view).addEventListener("change", () => { choice.view = view; changed(); });
    for (const which of BESIDE) {
      at("with-" + which).addEventListener("change", () => { choice.beside = BESIDE.filter(each => at("with-" + each).checked); changed(); });
    }
    for (const key of ["from", "to"]) {
      at(key).addEventListener("change", () => {
        const year = choice[key] = Number(at(key).value);
        // A year beyond the other end takes that end along.
        if (key === "from" && choice.to !== null) choice.to = Math.max(year, choice.to);
        if (key === "to" && choice.from !== null) choice.from = Math.min(year, choice.from);
        changed();
      });
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
    for (const which of BESIDE) {
      at("with-" + which).checked = choice.beside.includes(which);
      at("with-" + which).disabled = choice.view === "gaps";
    }
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

  function tableOf(css, caption, heads, body) {
    const whole = made("table", null, {class: css}), head = made("tr"), top = made("thead");
    heads.forEach(([text, kind], i) => {
      head.append(made("th", text, {scope: "col", ...(kind ? {class: kind} : {})}));
      if (i) whole.style.setProperty("--h" + (i + 1), JSON.stringify(String(text)));
    });
    top.append(head);
    whole.append(made("caption", caption), top, body);
    return whole;
  }

  function rowOf(name, cells, attributes) {
    const line = made("tr", null, attributes);
    line.append(made("th", name, {scope: "row"}), ...cells);
    return line;
  }

  function table(shown, from, to, caption) {
    const years = Array.from({length: to - from + 1}, (_, i) => from + i), body = made("tbody");
    body.append(...shown.rows.slice(0, MOST_ROWS).map(row => rowOf(row.name, years.map(year => {
      const each = row.cells.get(year);
      return made("td", each ? shownValue(each) : null);
    }))), ...shown.pooled.map(row => rowOf(row.name, years.map(year => pooledCell(row.cells.get(year))))));
    return tableOf("values stack", caption, [[_("Community and group")], ...years.map(year => [year, "num"])], body);
  }

  /* The rate, and below it how many communities it is over. */
  function pooledCell(each) {
    if (!each) return made("td");
    const shown = made("td", number(each.value), {"data-row": each.row, "data-col": "pooled_rate_last"}), below = made("span", null, {class: "src"});
    const [before, after] = _("over %(n)s", {n: "\n"}).split("\n");
    below.append(before, made("span", each.n.toLocaleString("en"), {"data-row": each.row, "data-col": "panel_size"}), after);
    shown.append(" ", below);
    return shown;
  }

  function targetTable(targets, caption) {
    const body = made("tbody"), dash = "\u2013";
    body.append(...targets.map(target => {
      const status = made("td");
      status.append(made("span", target.status.words, {class: "pill s-" + target.status.id}));
      return rowOf(target.community.name + ", " + target.group.name, [
        made("td", number(target.value), {class: "num", "data-col": "target_value"}),
        made("td", target.deadline.words, {class: "nowrap", "data-col": "deadline"}), made("td", target.horizon.words),
        made("td", target.baseline === null ? dash : number(target.baseline), {class: "num", "data-col": "baseline_value"}),
        made("td", target.baselineYear ?? dash, {class: "num", "data-col": "baseline_year"}), status,
      ], {"data-row": target.row});
    }));
    const heads = [[_("Community and group")], [_("Target"), "num"], [_("Deadline")], [_("Horizon")], [_("Baseline"), "num"], [_("Year of the baseline"), "num"], [_("How it stands")]];
    return tableOf("stack", caption, heads, body);
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

  /* What is said of the choice as a whole: how much it shows, and why something that was asked for is not there. */
  function saidOf({rows, pooled, targets}, from, to) {
    const gaps = choice.view === "gaps", parts = [];
    if (!names.communities.length) return _("There is no community.");
    if (rows.length) parts.push(summary(rows, from, to));
    else if (gaps) parts.push(_("No gap is stated for this choice: choose groups that are compared with another one, not everyone."));
    else parts.push(_("No row for this choice: choose at least one community and one group that it reported."));
    if (pooled.length) parts.push(ngettext("%(n)s pooled line of the network.", "%(n)s pooled lines of the network.", pooled.length, {n: pooled.length}));
    else if (wanted("network")) parts.push(_("No pooled rate of the network for this choice: people are added up only where all communities measure the same thing and enough of them give counts."));
    if (targets.length) parts.push(ngettext("%(n)s target.", "%(n)s targets.", targets.length, {n: targets.length.toLocaleString("en")}));
    else if (wanted("targets")) parts.push(_("No target in force for this choice."));
    return parts.join(" ");
  }

  /* What a kept link names and these figures do not have. Counted and not repeated: anybody can write a link. */
  function lackingOf(part) {
    const {indicator, community, group} = choice.lacking, parts = [];
    if (indicator) parts.push(_("The link names an indicator that these figures do not have: another one is shown."));
    if (community) parts.push(ngettext("The link names %(n)s community that these figures do not have; it may go by another name now.", "The link names %(n)s communities that these figures do not have; they may go by other names now.", community, {n: community}));
    if (group) parts.push(ngettext("The link names %(n)s group that these figures do not have.", "The link names %(n)s groups that these figures do not have.", group, {n: group}));
    const [from, to] = heldYears(part);
    if (from > to) parts.push(_("There is nothing of the chosen years: all years are shown."));
    return parts;
  }

  function showPicture(shown, from, to) {
    const gaps = choice.view === "gaps", about = indicator();
    const title = (gaps ? _("%(indicator)s, gaps", {indicator: about.name}) : about.name) + ", " + span(from, to);
    const drawing = choice.view === "table" ? null : draw({...shown, from, to, title, unit: gaps ? " " + about.gap_unit : about.unit, zero: gaps});
    const below = drawing ? drawing.below : [];
    if (gaps && shown.rows.length) below.splice(1, 0, made("p", _("Above zero a group is behind the one it is compared with. Each point is the difference of two values of one year; where either is withheld, suppressed or missing, no gap is stated. What became of a gap is decided by fitted lines and stands on each community\u2019s page."), {class: "small"}));
    at("picture").replaceChildren(...(drawing ? [drawing.svg] : []));
    at("picture").hidden = !drawing;
    at("beside").replaceChildren(...below);
  }

  function captionOf(about) {
    const name = {indicator: about.name};
    if (choice.view === "gaps") return _("%(indicator)s, gap in %(unit)s; communities by name", {...name, unit: about.gap_unit});
    return about.unit ? _("%(indicator)s, in %(unit)s; communities by name", {...name, unit: about.unit.trim()})
      : _("%(indicator)s; communities by name", name);
  }

  function showTables(shown, from, to) {
    const {rows, pooled, targets} = shown, about = indicator(), tables = [];
    if (rows.length || pooled.length) tables.push(table(shown, from, to, captionOf(about)));
    if (targets.length) {
      const caption = about.unit ? _("%(indicator)s, targets in force, in %(unit)s; communities by name", {indicator: about.name, unit: about.unit.trim()})
        : _("%(indicator)s, targets in force; communities by name", {indicator: about.name});
      tables.push(targetTable(targets.slice(0, MOST_ROWS), caption));
    }
    at("rows").replaceChildren(...tables);
    const cut = Math.max(rows.length, targets.length);
    at("cut").textContent = cut > MOST_ROWS
      ? _("The table shows the first %(most)s of %(n)s lines by name; the CSV holds them all.", {most: MOST_ROWS, n: cut}) : "";
    at("csv").disabled = !tables.length;
    at("about-network").hidden = !pooled.length;
  }

  function show() {
    const part = figures.get(choice.indicator);
    showForm(part);
    if (!part) { load(); return; }
    const [from, to] = chosenYears(part), about = indicator(), shown = chosenRows(part, from, to);
    at("chosen").textContent = choice.view === "gaps" ? _("%(indicator)s: gaps between groups", {indicator: about.name}) : about.name;
    at("said").textContent = [...lackingOf(part), saidOf(shown, from, to)].join(" ");
    showPicture(shown, from, to);
    showTables(shown, from, to);
  }

  /* ---- CSV ---- */

  function field(value) {
    if (value === null || value === undefined) return "";
    let text = String(value);
    if (typeof value === "string" && names.formula.includes(text[0])) text = "'" + text;
    return QUOTED.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  const WHOSE = ["community_id", "community", "indicator_id", "population_group_id", "group"];
  const OF_GAPS = [...WHOSE, "reference_group_id", "school_year", "series", "group_value", "reference_value", "gap"];
  /* Columns of the marts; rates of the network and targets in columns of their own, so that no sum takes them for values. */
  const OF_VALUES = [...WHOSE, "school_year", "series", "value", "value_low", "value_high", "numerator", "denominator", "value_status", "row_kind",
    "pooled_rate_last", "panel_size", "reporting_year", "target_value", "deadline", "horizon", "baseline_value", "baseline_year", "target_status"];

  const csvLine = (columns, cells) => columns.map(column => field(cells[column])).join(",") + "\r\n";
  const csvHead = (community, group) => ({community_id: community.id, community: community.name, indicator_id: choice.indicator, population_group_id: group.id, group: group.name});

  /* The cells of a row within the years, oldest first. */
  const cellsWithin = (row, from, to) => [...row.cells].filter(([year, each]) => each && year >= from && year <= to).sort((a, b) => a[0] - b[0]);

  function csv() {
    const part = figures.get(choice.indicator), [from, to] = chosenYears(part), gaps = choice.view === "gaps";
    const {rows, pooled, targets} = chosenRows(part, from, to), out = [];
    for (const row of rows) {
      for (const [school_year, each] of cellsWithin(row, from, to)) {
        const head = {...csvHead(row.community, row.group), school_year, series: row.series};
        out.push(gaps ? {...head, reference_group_id: row.other.id, group_value: each.own, reference_value: each.beside, gap: each.value}
          : {...head, value: each.value, value_low: each.low, value_high: each.high, numerator: each.n, denominator: each.d, value_status: each.status.id, row_kind: "value"});
      }
    }
    for (const row of pooled) {
      for (const [school_year, each] of cellsWithin(row, from, to)) {
        out.push({...csvHead({}, row.group), school_year, row_kind: "pooled_rate", pooled_rate_last: each.value, panel_size: each.n, reporting_year: each.known});
      }
    }
    for (const target of targets) {
      out.push({...csvHead(target.community, target.group), row_kind: "target", target_value: target.value, deadline: target.deadline.id, horizon: target.horizon.id,
        baseline_value: target.baseline, baseline_year: target.baselineYear, target_status: target.status.id});
    }
    const columns = gaps ? OF_GAPS : OF_VALUES;
    return columns.join(",") + "\r\n" + out.map(cells => csvLine(columns, cells)).join("");
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
