// The package's data: read once, with its geometries made for the map, and words for its values.
const DATA = JSON.parse(document.getElementById('data').textContent);
const STYLES = JSON.parse(document.getElementById('styles').textContent);
const SHORTEST_LINE_M = 0.05; // shorter than this a line is upright in the ground, and drawn as a dot
const NOTES = STYLES.utilities.length; // number of the layer of what lies nowhere in the ground
let language = 'da';

const t = (key, ...values) => TEXTS[language][key].replace(/\{(\d)\}/g, (_, n) => values[n]);
const metres = (value, digits = 2) =>
  value.toLocaleString(language === 'da' ? 'da-DK' : 'en-GB', {minimumFractionDigits: digits, maximumFractionDigits: digits});
const whole = (value) => metres(value, 0);

function integers(base64) {
  const text = atob(base64);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Int32Array.from({length: bytes.length / 4}, (_, n) => view.getInt32(4 * n, true));
}

// Returns a geometry or null for each that was written, in EPSG:25832.
function geometriesOf({origin, geometries, pieces, coordinates}) {
  const [counts, kinds, steps] = [integers(geometries), integers(pieces), integers(coordinates)];
  let [piece, step, x, y] = [0, 0, 0, 0];
  const vertices = (count) => {
    const found = [];
    for (let n = 0; n < count; n++) {
      x += steps[step++];
      y += steps[step++];
      found.push([origin[0] + x / 1000, origin[1] + y / 1000]);
    }
    return found;
  };
  return Array.from(counts, (count) => {
    const [points, lines, polygons] = [[], [], []];
    for (let n = 0; n < count; n++) {
      const told = kinds[piece++];
      const found = vertices(told >> 2);
      if ((told & 3) === 0) points.push(found[0]);
      else if ((told & 3) === 1) lines.push(found);
      else if ((told & 3) === 2) polygons.push([found]);
      else polygons[polygons.length - 1].push(found);
    }
    return geometryOf(points, lines, polygons);
  });
}

function geometryOf(points, lines, polygons) {
  const found = [];
  if (points.length) found.push(points.length > 1 ? new ol.MultiPoint(points) : new ol.Point(points[0]));
  if (lines.length) found.push(lines.length > 1 ? new ol.MultiLineString(lines) : lineOf(lines[0]));
  if (polygons.length) found.push(polygons.length > 1 ? new ol.MultiPolygon(polygons) : new ol.Polygon(polygons[0]));
  return found.length > 1 ? new ol.GeometryCollection(found) : found[0] || null;
}

function lineOf(vertices) {
  const line = new ol.LineString(vertices);
  return line.getLength() < SHORTEST_LINE_M ? new ol.Point(vertices[0]) : line;
}

const shapes = geometriesOf(DATA.geometry);
const ITEMS = DATA.features.map((row, number) => {
  const [owner, answer, type, utility, id, clipped, distance, band, depth, cover, voids, values] = row;
  const attributes = new Map();
  const columns = DATA.types[type].columns;
  values.forEach((value, n) => value !== null && attributes.set(columns[n][0], value));
  const danger = STYLES.dangers.find((one) => one.value === attributes.get('fareklasse'));
  const status = STYLES.statuses.find((one) => one.value === attributes.get('driftsstatus'));
  return {
    number, id, owner, answer, type: DATA.types[type], layer: utility === null ? NOTES : utility, clipped, distance,
    band: {half: band[0], known: band[1], accuracy: band[2], outer: band[3]}, depth, cover, voids: voids || {}, attributes, danger, status, shape: shapes[number],
  };
});
const BY_ID = new Map(ITEMS.map((item) => [`${item.owner}/${item.answer}/${item.id}`, item]));
const besides = (item, id) => BY_ID.get(`${item.owner}/${item.answer}/${id}`); // of the same answer

const rankOf = (item) => (item.danger ? item.danger.rank : 0);
const utilityName = (item) => (item.layer === NOTES ? t('notes') : STYLES.utilities[item.layer].name[language]);
const ownerName = (item) => DATA.owners[item.owner].name;
const letterOf = (item) => DATA.labels[`${item.layer}/${item.owner}`] || '';
const columnOf = (item, name) => item.type.columns.find((column) => column[0] === name);

// Says a value in words: its code in the chosen language, numbers with their unit.
function valueText(value, column = []) {
  const [, , , unit, codes] = column;
  if (Array.isArray(value)) return value.map((one) => valueText(one, column)).join('; ');
  if (value === true || value === false) return t(value ? 'yes' : 'no');
  if (typeof value === 'number') {
    const text = value.toLocaleString(language === 'da' ? 'da-DK' : 'en-GB', {maximumFractionDigits: 3, useGrouping: false});
    return unit ? `${text} ${unit}` : text;
  }
  if (value && typeof value === 'object') {
    return 'uom' in value ? `${valueText(value.value)} ${value.uom}` : Object.entries(value).filter(([key]) => key !== 'gml_id').map(([, one]) => valueText(one)).join(', ');
  }
  if (codes === 'Noejagtighedsklasse') return value.replace('<=', '≤').replace('.', language === 'da' ? ',' : '.');
  return language === 'en' && codes && DATA.codes[codes][value] ? `${DATA.codes[codes][value]} (${value})` : String(value);
}

function attributeText(item, name) {
  if (name in item.voids) return t('isUnknown');
  const value = item.attributes.get(name);
  return value === undefined ? t('unknown') : valueText(value, columnOf(item, name));
}

function placeText(item) {
  if (!item.type.has_band && !item.shape) return t('none');
  if (item.distance === null) return t('noGeometry');
  if (item.distance === 0) return t('inArea');
  const reach = item.distance <= item.band.half ? `, ${t('mayReach')}` : '';
  return t('outsideArea', metres(item.distance, 1)) + reach;
}

// How far to each side it must be looked for, and what had to be assumed.
function bandText(item) {
  const {half, known, accuracy, outer} = item.band;
  const bounded = String(item.attributes.get('noejagtighedsklasse')).startsWith('<=');
  const reasons = [accuracy === null && t(bounded ? 'notInPlace' : 'noAccuracy'), outer === null && t('noWidth')].filter(Boolean);
  return `${attributeText(item, 'noejagtighedsklasse')}. ${t('searchWithin', metres(half))}${known ? '' : t('assumed', reasons.join(', '))}`;
}

function depthText(item) {
  const said = [];
  if (item.attributes.has('niveau')) said.push(attributeText(item, 'niveau'));
  if (item.depth) {
    const [indicative, low, high, inPart, drawnAt, bottom] = item.depth;
    if (indicative !== null) said.push(t('indicative', metres(indicative)));
    if (low !== null) said.push(t('top', fromTo(low, high)) + (inPart ? t('inPart') : ''));
    if (drawnAt !== null) said.push(t('drawnAt', metres(drawnAt)));
    if (bottom !== null) said.push(t('bottom', metres(bottom)));
  }
  return said.join('; ') || t('noDepth');
}

const fromTo = (low, high) => [...new Set([metres(low), metres(high)])].join(t('to'));

function coverText(item) {
  if (!Array.isArray(item.cover)) return DATA.unknown_covers[item.cover][language];
  const [low, high, off] = item.cover;
  return off === null ? t('coverUnbounded', fromTo(low, high)) : t('coverMetres', fromTo(low, high), metres(off));
}

// Everything that can be searched for of a feature, in both languages.
function searchText(item) {
  if (item.searchable === undefined) {
    const {type} = item;
    const layer = STYLES.utilities[item.layer];
    const values = [...item.attributes.values()].map((value) => (typeof value === 'object' ? JSON.stringify(value) : value));
    item.searchable = [ownerName(item), type.name, type.da, type.en, layer && layer.name.da, layer && layer.name.en, item.id, letterOf(item), ...values]
      .join('\n').toLowerCase();
  }
  return item.searchable;
}
