/* The picture of a choice on the Explore page: lines of communities, pooled rates of the network, targets.

   Belongs here: where a mark stands, what tells lines apart without colour, what is said to a reader who does not see it.
   Does not: choose rows or read figures (explore.js), or draw a value that no row holds. */
"use strict";

/* Called by explore.js with the functions that both need; gives back what draws a choice. */
const explorePicture = function ({_, ngettext, number, made, drawn}) {
  const MOST_LINES = 10, MOST_POOLED = 4, MOST_AHEAD = 15, MOST_WAYS = 4;
  const COLOURS = ["#1f4e79", "#a84a08", "#2f7d4f", "#7a1d72", "#5b4300", "#006d77", "#b4483d", "#3d4653", "#4338a8", "#8a5a00"];
  const INK = "#1c2430", DASHES = ["", "7 4", "2 3", "10 3 2 3"];

  function ticks(low, high) {
    const raw = (high - low) / 5, size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(m => m * size).find(each => each >= raw - 1e-12);
    const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
    return Array.from({length: last - first + 1}, (_, i) => Number(((first + i) * step).toFixed(10)));
  }

  /* ---- what is drawn ---- */

  const within = (row, from, to, kept) => [...row.cells].filter(([year, each]) => each && year >= from && year <= to && kept(each));
  const points = (row, from, to) => within(row, from, to, each => each.value !== null).sort((a, b) => a[0] - b[0]);

  function communityLines(rows, from, to) {
    return rows.slice(0, MOST_LINES).map((row, i) => ({
      row, name: row.name, label: String(i + 1), n: i + 1, colour: COLOURS[i % COLOURS.length], dash: DASHES[i % DASHES.length],
      ranges: within(row, from, to, each => each.value === null && each.low != null && each.high != null), points: points(row, from, to),
    })).filter(line => line.points.length || line.ranges.length);
  }

  /* One ink for all of them, thick, with squares and letters: no community is drawn so. */
  function networkLines(rows, from, to) {
    return rows.slice(0, MOST_POOLED).map((row, i) => ({
      row, name: row.name, label: String.fromCharCode(65 + i), colour: INK, dash: DASHES[i], ranges: [], points: points(row, from, to),
    }));
  }

  /* Each target with the line that it is of: the latest series where a group has several. One that lies before the
     years or far behind them, or whose line is not drawn, stands in the table alone. */
  function aims(targets, lines, from, to) {
    const latest = line => Math.max(...[...line.points, ...line.ranges].map(each => each[0]));
    return targets.map(target => {
      const own = lines.filter(line => line.row.community === target.community && line.row.group === target.group);
      return {target, year: target.year, line: own.sort((a, b) => latest(b) - latest(a))[0]};
    }).filter(aim => aim.line && aim.year >= from && aim.year <= to + MOST_AHEAD);
  }

  /* The ways from a baseline to a target: of few targets alone, or they hide the lines. From a baseline outside the picture
     a way would begin at a value that nobody stated. */
  function ways(found, from) {
    const begun = found.filter(({target, year}) => target.baseline !== null && target.baselineYear >= from && target.baselineYear < year);
    return found.length <= MOST_WAYS ? begun : [];
  }

  function heights(lines, found, trodden, zero) {
    const every = lines.flatMap(l => [...l.points.map(p => p[1].value), ...l.ranges.flatMap(r => [r[1].low, r[1].high])]);
    every.push(...found.map(aim => aim.target.value), ...trodden.map(aim => aim.target.baseline));
    const low = Math.min(...every, ...(zero ? [0] : [])), high = Math.max(...every, ...(zero ? [0] : []));
    return ticks(low, high > low ? high : low + 1);
  }

  /* ---- marks ---- */

  function frame(svg, scale, along, across, from, end, zero) {
    for (const tick of scale) {
      svg.append(drawn("line", {class: tick === 0 && zero ? "zero" : "grid", x1: 58, x2: 592, y1: along(tick), y2: along(tick)}),
        drawn("text", {x: 52, y: along(tick), dy: ".35em", "text-anchor": "end"}, tick < 0 ? "\u2212" + -tick : tick.toLocaleString("en")));
    }
    const step = 1 + Math.floor((end - from) / 14);
    for (let year = end; year >= from; year -= step) {
      // Every other year gives way on a phone, where letters are larger against the picture.
      const css = (end - year) / step % 2 ? "tick between" : "tick";
      svg.append(drawn("text", {class: css, x: across(year), y: 276, "text-anchor": "middle"}, year));
    }
  }

  /* Neighbouring years only: a line across a missing year would show values that nobody reported. */
  function path(line, across, along) {
    return line.points.map(([year, each], i) => (i && line.points[i - 1][0] === year - 1 ? "L" : "M")
      + across(year).toFixed(1) + " " + along(each.value).toFixed(1)).join("");
  }

  const label = (line, x, y) => drawn("text", {x: x + 8 + 13 * ((line.n - 1) % 3), y, dy: ".35em", style: "fill:" + line.colour, stroke: "none"}, line.label);

  function atTheEnd(line, across, along) {
    const [year, each] = line.points[line.points.length - 1] || line.ranges[line.ranges.length - 1];
    return label(line, across(year), along(each.value ?? each.high));
  }

  function strokes(line, across, along, unit) {
    const group = drawn("g", {fill: "none", stroke: line.colour});
    group.append(drawn("path", {d: path(line, across, along), "stroke-width": 2, "stroke-dasharray": line.dash}));
    for (const [year, each] of line.ranges) {
      group.append(drawn("line", {x1: across(year), x2: across(year), y1: along(each.low), y2: along(each.high), "stroke-width": 4, opacity: .45}));
    }
    for (const [year, each] of line.points) {
      const dot = drawn("circle", {cx: across(year), cy: along(each.value), r: 3, fill: line.colour});
      dot.append(drawn("title", {}, line.name + ", " + year + ": " + number(each.value) + unit));
      group.append(dot);
    }
    group.append(atTheEnd(line, across, along));
    return group;
  }

  function pooledStrokes(line, across, along, unit) {
    const group = drawn("g", {class: "pooled", fill: "none", stroke: line.colour});
    group.append(drawn("path", {d: path(line, across, along), "stroke-width": 3.5, "stroke-dasharray": line.dash}));
    for (const [year, each] of line.points) {
      const mark = drawn("rect", {x: across(year) - 4.5, y: along(each.value) - 4.5, width: 9, height: 9, fill: line.colour,
        "data-row": each.row, "data-column": "pooled_rate_last"});
      mark.append(drawn("title", {}, line.name + ", " + over(year, each, unit)));
      group.append(mark);
    }
    // Above the last square, where no number of a community stands.
    const [year, each] = line.points[line.points.length - 1];
    group.append(drawn("text", {x: across(year), y: along(each.value) - 10, "text-anchor": "middle", style: "fill:" + line.colour, stroke: "none"}, line.label));
    return group;
  }

  function way({target, line, year}, across, along) {
    return drawn("line", {class: "way", stroke: line.colour, x1: across(target.baselineYear), y1: along(target.baseline), x2: across(year), y2: along(target.value),
      "stroke-width": 1.5, "stroke-dasharray": "1 4", "stroke-linecap": "round"});
  }

  function aimed(aim, across, along, unit) {
    const {target, line} = aim, x = across(aim.year), y = along(target.value);
    const group = drawn("g", {class: "target", fill: "none", stroke: line.colour});
    const mark = drawn("path", {d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z`, fill: "#fff", "stroke-width": 2,
      "data-row": target.row, "data-column": "target_value"});
    mark.append(drawn("title", {}, line.name + ": " + goal(target, unit)));
    group.append(mark, label(line, x + 3, y));
    return group;
  }

  /* ---- words ---- */

  const inYear = ([year, each], unit) => _("%(value)s in %(year)s", {value: number(each.value) + unit, year});
  const over = (year, each, unit) => ngettext("%(value)s in %(year)s over %(n)s community", "%(value)s in %(year)s over %(n)s communities",
    each.n, {value: number(each.value) + unit, year, n: each.n.toLocaleString("en")});
  const goal = (target, unit) => _("target %(value)s by %(deadline)s (%(horizon)s)", {value: number(target.value) + unit, deadline: target.deadline.words, horizon: target.horizon.words});

  function told(line, unit, said) {
    if (!line.points.length) return _("%(line)s: ranges only", {line: line.name});
    const [first, last] = [line.points[0], line.points[line.points.length - 1]];
    return line.name + ": " + (first === last ? said(last, unit) : said(first, unit) + ", " + said(last, unit));
  }

  const spoken = (line, unit) => told(line, unit, inYear);
  const spokenPooled = (line, unit) => told(line, unit, ([year, each]) => over(year, each, unit));

  function key(width, ...marks) {
    const drawing = drawn("svg", {viewBox: `0 0 ${width} 12`, width, height: 12, "aria-hidden": "true"});
    drawing.append(...marks);
    return drawing;
  }

  const sample = (line, width) => drawn("line", {x1: 0, x2: 36, y1: 6, y2: 6, stroke: line.colour, "stroke-width": width, "stroke-dasharray": line.dash});
  const diamond = line => key(12, drawn("path", {d: "M6 1L11 6L6 11L1 6Z", fill: "#fff", stroke: line.colour, "stroke-width": 2}));

  function legend(lines, found, unit) {
    const list = made("ol", null, {class: "legend"});
    list.append(...lines.map(line => {
      const item = made("li", null, {value: line.n});
      item.append(key(36, sample(line, 3)), " ", spoken(line, unit));
      for (const aim of found) if (aim.line === line) item.append("; ", diamond(line), " ", goal(aim.target, unit));
      return item;
    }));
    return list;
  }

  function pooledLegend(lines, unit) {
    const list = made("ol", null, {class: "legend", type: "A"});
    list.append(...lines.map(line => {
      const item = made("li"), square = drawn("rect", {x: 13, y: 1.5, width: 9, height: 9, fill: line.colour});
      item.append(key(36, sample(line, 3.5), square), " ", spokenPooled(line, unit));
      return item;
    }));
    return list;
  }

  /* What the picture leaves to be said in words. */
  function remarks(given, found, trodden) {
    const {rows, pooled, targets} = given, said = [];
    if (rows.length > MOST_LINES) said.push(_("Drawn are the first %(most)s of %(n)s lines, by name.", {most: MOST_LINES, n: rows.length}));
    if (pooled.length > MOST_POOLED) said.push(_("Drawn are the first %(most)s of %(n)s pooled lines.", {most: MOST_POOLED, n: pooled.length}));
    if (found.length) said.push(_("A diamond is a target, in the year of its deadline."));
    if (trodden.length) said.push(_("The dotted line leads to a target from its baseline and is no forecast."));
    const left = targets.length - found.length;
    if (left) said.push(ngettext("%(n)s target stands in the table alone.", "%(n)s targets stand in the table alone.", left, {n: left}));
    return said.map(text => made("p", text, {class: "small"}));
  }

  /* given: rows, pooled and targets with the years from and to, a title, the unit, and whether zero is a line of its own.
     Back comes the picture and what stands below it; null where there is nothing to draw. */
  return function (given) {
    const {from, to, unit, zero} = given;
    const lines = communityLines(given.rows, from, to), network = networkLines(given.pooled, from, to);
    if (!lines.length && !network.length) return null;
    const found = aims(given.targets, lines, from, to), trodden = ways(found, from), end = Math.max(to, ...found.map(aim => aim.year));
    const scale = heights([...lines, ...network], found, trodden, zero), bottom = scale[0], top = scale[scale.length - 1];
    const across = year => 64 + 520 * (end > from ? (year - from) / (end - from) : 0.5);
    const along = value => 12 + 240 * (top - value) / (top - bottom);
    const svg = drawn("svg", {class: "chart trend", viewBox: "0 0 640 290", role: "img", "aria-labelledby": "pt pd"});
    const parts = [...lines.map(l => spoken(l, unit)), ...network.map(l => spokenPooled(l, unit)), ...found.map(aim => aim.line.name + ": " + goal(aim.target, unit))];
    svg.append(drawn("title", {id: "pt"}, given.title), drawn("desc", {id: "pd"}, parts.join(". ") + "."));
    frame(svg, scale, along, across, from, end, zero);
    for (const aim of trodden) svg.append(way(aim, across, along));
    for (const line of network) svg.append(pooledStrokes(line, across, along, unit));
    for (const line of lines) svg.append(strokes(line, across, along, unit));
    for (const aim of found) svg.append(aimed(aim, across, along, unit));
    const below = [...(lines.length ? [legend(lines, found, unit)] : []), ...(network.length ? [pooledLegend(network, unit)] : [])];
    return {svg, below: [...below, ...remarks(given, found, trodden)]};
  };
};
