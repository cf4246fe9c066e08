// How features look, from the one style source: colour, dash and letter; danger as a band and triangles below and on it.
const PX_PER_MM = 96 / 25.4;
const ON_SCREEN = 1.3; // a screen in daylight shows thin lines worse than paper
const GREY = '#7a7f85';
const FONT = 'DejaVu Sans, Arial, sans-serif';
const Z = {chosen: 0, trace: 1, danger: 2, duct: 4, line: 5, mark: 6, sign: 7};

const denominatorAt = (resolution) => (resolution * PX_PER_MM * 1000);
function sizeAt(resolution) {
  const factors = STYLES.small_scales.filter(([beyond]) => denominatorAt(resolution) > beyond).map(([, factor]) => factor);
  return Math.min(1, ...factors) * PX_PER_MM * ON_SCREEN;
}

function mixed(colour, other, share) {
  const parts = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  const [one, two] = [parts(colour), parts(other)];
  return `rgb(${one.map((value, n) => Math.round(value * (1 - share) + two[n] * share)).join(',')})`;
}

function faded(colour, opacity) {
  return mixed(colour, colour, 0).replace('rgb(', 'rgba(').replace(')', `,${opacity})`);
}

function stroke(color, width, z, dash = [], lineCap = 'butt') {
  return new ol.Style({stroke: new ol.Stroke({color, width, lineDash: dash, lineCap, lineJoin: 'round'}), zIndex: z});
}

// A pattern of slanting lines: what must be told from a plain surface without colours.
function hatching(colour, ground, gap, width, falling = false) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = gap;
  const pen = canvas.getContext('2d');
  pen.fillStyle = ground;
  pen.fillRect(0, 0, gap, gap);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  for (const shift of [-gap, 0, gap]) {
    pen.moveTo(shift - 1, falling ? -1 : gap + 1);
    pen.lineTo(shift + gap + 1, falling ? gap + 1 : -1);
  }
  pen.stroke();
  return pen.createPattern(canvas, 'repeat');
}

const BAND_KNOWN = '#aebfd6';
const BAND_UNKNOWN = hatching('#8d97a6', '#eef1f6', 10, 1.2, true);
const hatchArea = hatching(faded(STYLES.area.hatch, STYLES.area.hatch_opacity), 'rgba(0,0,0,0)', 14, 1);

const MARKING = STYLES.securities.find((one) => one.value === 'site-marking');
const MARKING_HATCH = hatching(faded(MARKING.fill, 0.5), faded(MARKING.fill, MARKING.opacity / 2), 10, 1.5);

// Points along a line of the geometry, every so many metres from half of that on, at least one.
function stations(geometry, every) {
  if (!geometry.getLength && !geometry.getLineStrings) return new ol.MultiPoint([centreOf(geometry)]);
  const lines = geometry.getLineStrings ? geometry.getLineStrings() : [geometry];
  return new ol.MultiPoint(lines.flatMap((line) => {
    const count = Math.max(1, Math.round(line.getLength() / every));
    return Array.from({length: count}, (_, n) => line.getCoordinateAt((n + 0.5) / count));
  }));
}

// One place that stands for the whole: on the line, in the surface.
function centreOf(geometry) {
  const kind = geometry.getType();
  if (kind === 'Point') return geometry.getCoordinates();
  if (kind === 'LineString') return geometry.getCoordinateAt(0.5);
  if (kind === 'Polygon') return geometry.getInteriorPoint().getCoordinates().slice(0, 2);
  if (kind === 'MultiPoint') return geometry.getPoint(0).getCoordinates();
  if (kind === 'MultiLineString') return centreOf(geometry.getLineString(0));
  if (kind === 'MultiPolygon') return centreOf(geometry.getPolygon(0));
  return centreOf(geometry.getGeometries()[0]);
}

const POLYGONS = {square: [4, Math.PI / 4], diamond: [4, 0], pentagon: [5, 0], hexagon: [6, Math.PI / 6], down: [3, Math.PI]};
function markOf(item, size) {
  const utility = utilityOf(item);
  const style = STYLES.component;
  const [colour, ink] = [coloured(item, utility.colour), coloured(item, utility.casing || utility.colour)];
  const hollow = style.marks && (item.type.mark === 'ring' || (item.status && item.status.core_factor > 0));
  const radius = (style.size_mm * size) / 2;
  const paint = {fill: new ol.Fill({color: hollow ? '#ffffff' : colour}), stroke: new ol.Stroke({color: ink, width: Math.max(1.5, style.outline_mm * size)})};
  if (item.type.mark === 'plus') return new ol.RegularShape({...paint, points: 4, radius, radius2: radius * 0.35});
  if (item.type.mark in POLYGONS) {
    const [points, rotation] = POLYGONS[item.type.mark];
    return new ol.RegularShape({...paint, points, radius: radius * 1.15, rotation});
  }
  return new ol.CircleStyle({...paint, radius});
}

const utilityOf = (item) => STYLES.utilities[item.layer] || STYLES.utilities[STYLES.utilities.length - 1];
const coloured = (item, colour) => (item.status ? mixed(colour, GREY, item.status.grey_share) : colour);
const inkOf = (item) => utilityOf(item).casing || utilityOf(item).colour;

function widthOf(item, size) {
  if (item.type.kind === 'duct') return STYLES.duct.width_mm * size;
  if (item.type.kind === 'trace') return STYLES.trace.width_mm * size;
  if (item.type.kind === 'component') return STYLES.component.size_mm * size;
  return lineWidth(item, size);
}

function lineWidth(item, size) {
  const trace = item.type.kind === 'trace' ? STYLES.trace.line_factor : 1;
  return utilityOf(item).width_mm * size * trace * (item.status ? item.status.width_factor : 1);
}

function dot(color, width, z) {
  return new ol.Style({image: new ol.CircleStyle({radius: width / 2, fill: new ol.Fill({color})}), zIndex: z});
}

// Strokes of the same width for lines, and a dot where it stands upright in the ground.
const drawn = (color, width, z, dash, cap) => [stroke(color, width, z, dash, cap), dot(color, Math.max(width, 5), z)];

function dangerStyles(item, size) {
  const {danger} = item;
  const width = widthOf(item, size);
  const outer = width + 2 * (danger.margin_mm + danger.edge_mm) * size;
  return [...drawn(danger.edge, outer, Z.danger, [], 'round'), ...drawn(danger.fill, width + 2 * danger.margin_mm * size, Z.danger + 0.1, [], 'round')];
}

function lineStyles(item, size) {
  const utility = utilityOf(item);
  const width = lineWidth(item, size);
  const dash = utility.dash_mm.map((part) => part * size);
  const ink = coloured(item, inkOf(item));
  const found = [...drawn(STYLES.halo, width + 2 * STYLES.halo_mm * size, Z.line, dash), ...drawn(ink, width, Z.line + 0.1, dash)];
  if (utility.casing) found.push(stroke(coloured(item, utility.colour), width * 0.5, Z.line + 0.2, dash));
  if (item.status && item.status.core_factor) found.push(stroke(STYLES.halo, width * item.status.core_factor, Z.line + 0.3, dash));
  return found;
}

function componentStyles(item, size) {
  const outline = STYLES.component.outline_mm * size;
  const ink = coloured(item, inkOf(item));
  return [
    new ol.Style({fill: new ol.Fill({color: faded(utilityOf(item).colour, STYLES.component.opacity)}), stroke: new ol.Stroke({color: ink, width: Math.max(1, outline)}), zIndex: Z.line}),
    new ol.Style({image: markOf(item, size), geometry: (feature) => new ol.Point(centreOf(feature.getGeometry())), zIndex: Z.mark}),
  ];
}

function noteStyles() {
  const ink = '#30343a';
  return [new ol.Style({
    stroke: new ol.Stroke({color: ink, width: 1.2, lineDash: [3, 3]}), fill: new ol.Fill({color: 'rgba(255,255,255,0.3)'}),
    image: new ol.CircleStyle({radius: 2.5, fill: new ol.Fill({color: ink})}), zIndex: Z.line,
  })];
}

// Signs along the line: triangles of danger, crosses of what is out of use.
function signStyles(item, size, resolution) {
  const along = (every_mm) => (feature) => stations(feature.getGeometry(), every_mm * size * resolution);
  const found = [];
  if (item.status && item.status.cross_every_mm && item.type.kind !== 'component') {
    const cross = (color, width) => new ol.RegularShape({points: 4, radius: 6, radius2: 0, angle: Math.PI / 4, stroke: new ol.Stroke({color, width})});
    for (const image of [cross('#ffffff', 4), cross(coloured(item, inkOf(item)), 1.8)]) {
      found.push(new ol.Style({image, geometry: along(item.status.cross_every_mm), zIndex: Z.sign}));
    }
  }
  if (item.danger) {
    const {edge, triangle_filled: filled, triangle_every_mm: every} = item.danger;
    const image = new ol.RegularShape({points: 3, radius: 9, fill: new ol.Fill({color: filled ? edge : '#ffffff'}), stroke: new ol.Stroke({color: filled ? '#ffffff' : edge, width: 1.8})});
    const text = new ol.Text({text: '!', font: `bold 10px ${FONT}`, offsetY: 1, fill: new ol.Fill({color: filled ? '#ffffff' : edge})});
    found.push(new ol.Style({image, text, geometry: along(every), zIndex: Z.sign + 0.1}));
  }
  return found;
}

const styleCache = new Map();
// Styles that features of one look share, at one resolution: lines, and the marks and signs that lie above all letters.
function stylesOf(item, resolution) {
  const size = sizeAt(resolution);
  const kind = item.layer === NOTES ? 'note' : item.type.kind;
  const key = [item.layer, kind, item.type.mark, rankOf(item), item.status && item.status.value, resolution.toPrecision(6)].join('/');
  if (!styleCache.has(key)) {
    if (styleCache.size > 2000) styleCache.clear();
    const made = madeStyles(item, kind, size, resolution);
    styleCache.set(key, {lines: made.filter((style) => style.getZIndex() < Z.mark), marks: made.filter((style) => style.getZIndex() >= Z.mark)});
  }
  return styleCache.get(key);
}

function madeStyles(item, kind, size, resolution) {
  if (kind === 'note') return noteStyles();
  const found = item.danger ? dangerStyles(item, size) : [];
  if (kind === 'component') found.push(...componentStyles(item, size));
  if (kind === 'duct') {
    found.push(...drawn(coloured(item, inkOf(item)), widthOf(item, size), Z.duct));
    found.push(stroke(STYLES.duct.fill, (STYLES.duct.width_mm - 2 * STYLES.duct.wall_mm) * size, Z.duct + 0.1));
  }
  if (kind === 'trace') found.push(stroke(faded(utilityOf(item).colour, STYLES.trace.opacity), widthOf(item, size), Z.trace));
  if (kind === 'line' || kind === 'trace') found.push(...lineStyles(item, size));
  return [...found, ...signStyles(item, size, resolution)];
}

// The band within which the line must be looked for, true to scale.
function bandStyles(item, resolution) {
  const color = item.band.known ? BAND_KNOWN : BAND_UNKNOWN;
  const width = (2 * item.band.half) / resolution;
  const zIndex = item.band.known ? 1 : 0;
  return [
    new ol.Style({stroke: new ol.Stroke({color, width, lineCap: 'round', lineJoin: 'round'}), zIndex}),
    new ol.Style({image: new ol.CircleStyle({radius: Math.max(0.5, width / 2), fill: new ol.Fill({color})}), zIndex}),
  ];
}

function chosenStyles(item, resolution) {
  const width = widthOf(item, sizeAt(resolution)) + 9;
  const around = new ol.Style({image: new ol.CircleStyle({radius: width, stroke: new ol.Stroke({color: '#000000', width: 3})}), geometry: (feature) => new ol.Point(centreOf(feature.getGeometry())), zIndex: Z.sign});
  const found = [...drawn('#000000', width + 5, Z.chosen, [], 'round'), ...drawn('#ffffff', width, Z.chosen + 0.1, [], 'round')];
  return item.shape.getType().includes('Line') ? found : [...found, around];
}

function letterStyle(item, text) {
  return new ol.Style({text: new ol.Text({
    text, font: `bold 13px ${FONT}`, placement: item.shape.getType().includes('Line') ? 'line' : 'point', repeat: 170, maxAngle: Math.PI / 3,
    offsetX: 0, fill: new ol.Fill({color: item.layer === NOTES ? '#30343a' : inkOf(item)}), stroke: new ol.Stroke({color: '#ffffff', width: 4}), overflow: false,
  })});
}

// Draws the item's symbol into a canvas of the legend; the item need not exist.
function drawSwatch(canvas, item, letter) {
  const [width, height] = [56, 28];
  const context = canvas.getContext('2d');
  const pixelRatio = window.devicePixelRatio || 1;
  const pen = ol.toContext(context, {size: [width, height], pixelRatio});
  const line = new ol.LineString([[4, height / 2], [width - 4, height / 2]]);
  const shape = item.type.kind === 'component' ? new ol.Point([width / 2, height / 2]) : line;
  const styles = madeStyles(item, item.layer === NOTES ? 'note' : item.type.kind, PX_PER_MM * ON_SCREEN, 1)
    .filter((style) => shape === line ? !style.getImage() : true)
    .sort((one, two) => one.getZIndex() - two.getZIndex());
  for (const style of styles) {
    pen.setStyle(style);
    pen.drawGeometry(shape);
  }
  if (item.danger || (item.status && item.status.cross_every_mm)) {
    for (const style of signStyles(item, PX_PER_MM, 1)) {
      pen.setStyle(style);
      pen.drawGeometry(new ol.Point([width / 2, height / 2]));
    }
  } else if (letter) {
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.font = `bold 13px ${FONT}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineWidth = 4;
    context.strokeStyle = '#ffffff';
    context.fillStyle = inkOf(item);
    context.strokeText(letter, width / 2, height / 2 + 1);
    context.fillText(letter, width / 2, height / 2 + 1);
  }
}
