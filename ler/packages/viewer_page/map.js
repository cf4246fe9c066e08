// The map: unprojected UTM 32, the features, the dig area, picking, measuring and the position dot.
const MAP_CRS = 'EPSG:32632'; // the same metres as EPSG:25832
const KEY_PAN_PX = 128;
const PICK_PX = matchMedia('(pointer: coarse)').matches ? 22 : 12;
const DRIFT_M = 1; // WGS84 of satellites against ETRS89, fixed to Europe in 1989
const still = matchMedia('(prefers-reduced-motion: reduce)');
const hidden = {layers: new Set(), owners: new Set(), bands: false};
let chosen = null;

const area = geometriesOf(DATA.area)[0];
const features = ITEMS.filter((item) => item.shape).map((item) => {
  const feature = new ol.Feature(item.shape);
  feature.item = item;
  return feature;
});
const isShown = (item) => !hidden.layers.has(item.layer) && !hidden.owners.has(item.owner);

const featureStyle = ({item}, resolution) => (isShown(item) ? stylesOf(item, resolution).lines : null);
const markStyle = ({item}, resolution) => (isShown(item) ? stylesOf(item, resolution).marks : null);
const bandStyle = ({item}, resolution) => (isShown(item) && item.band.half > 0 ? bandStyles(item, resolution) : null);
const chosenStyle = ({item}, resolution) => [...chosenStyles(item, resolution), ...stylesOf(item, resolution).lines, ...stylesOf(item, resolution).marks];

function labelStyle(feature) {
  const {item} = feature;
  if (!isShown(item) || item.type.kind === 'component') return null;
  const letter = item.layer === NOTES ? String(item.attributes.get('text') || '') : letterOf(item);
  return letter ? letterStyle(item, item.status ? item.status.label.replace('{}', letter) : letter) : null;
}

function groundFeatures() {
  const [west, south, east, north] = ol.buffer(area.getExtent(), 20000);
  const [outer, ...holes] = area.getCoordinates();
  const veil = new ol.Feature(new ol.MultiPolygon([[[[west, south], [east, south], [east, north], [west, north], [west, south]], outer], ...holes.map((hole) => [hole])]));
  veil.setStyle(new ol.Style({fill: new ol.Fill({color: faded(STYLES.outside.fill, STYLES.outside.opacity)})}));
  const outline = new ol.Feature(area);
  outline.setStyle(new ol.Style({stroke: new ol.Stroke({color: STYLES.area.outline, width: STYLES.area.outline_mm * PX_PER_MM}), fill: new ol.Fill({color: hatchArea})}));
  const cells = geometriesOf(DATA.marking).map((cell) => {
    const feature = new ol.Feature(cell);
    feature.setStyle(new ol.Style({stroke: new ol.Stroke({color: MARKING.fill, width: 2, lineDash: [10, 5]}), fill: new ol.Fill({color: MARKING_HATCH})}));
    return feature;
  });
  return [veil, outline, ...cells];
}

const source = new ol.VectorSource({features});
const chosenSource = new ol.VectorSource();
const [veil, ...ground] = groundFeatures();
// Bands are drawn opaque in a layer that is not: many on one another stay as light as one.
const bandLayer = new ol.VectorLayer({source, style: bandStyle, opacity: 0.45, renderBuffer: 400});
const featureLayer = new ol.VectorLayer({source, style: featureStyle, renderBuffer: 60});
const markLayer = new ol.VectorLayer({source, style: markStyle, renderBuffer: 60});
const labelLayer = new ol.VectorLayer({source, style: labelStyle, declutter: true, maxResolution: 1});
const plain = (...given) => new ol.VectorLayer({source: new ol.VectorSource({features: given})});
const placeSource = new ol.VectorSource();
const measureSource = new ol.VectorSource();
const overlayStyle = new ol.Style({
  stroke: new ol.Stroke({color: '#0040b0', width: 3, lineDash: [8, 5]}), fill: new ol.Fill({color: 'rgba(0,64,176,0.12)'}),
  image: new ol.CircleStyle({radius: 7, fill: new ol.Fill({color: '#0040b0'}), stroke: new ol.Stroke({color: '#ffffff', width: 3})}),
});
const view = new ol.View({projection: MAP_CRS, enableRotation: false, minResolution: 0.002, maxResolution: 100, constrainResolution: false});
const map = new ol.Map({
  target: 'map', view, controls: [new ol.ScaleLine({minWidth: 70})], interactions: ol.defaultInteractions({altShiftDragRotate: false, pinchRotate: false, doubleClickZoom: false}),
  layers: [
    plain(veil), bandLayer, plain(...ground), featureLayer, new ol.VectorLayer({source: chosenSource, style: chosenStyle}), labelLayer, markLayer,
    new ol.VectorLayer({source: measureSource, style: overlayStyle}), new ol.VectorLayer({source: placeSource, style: overlayStyle}),
  ],
});

const moveTime = () => (still.matches ? 0 : 250);
function zoomToArea(duration = moveTime()) {
  view.fit(area.getExtent(), {padding: [30, 60, 40, 30], duration, minResolution: 0.01});
}
function zoomTo(item) {
  if (item.shape) view.fit(ol.buffer(item.shape.getExtent(), 2), {padding: [40, 70, 60, 40], duration: moveTime(), minResolution: 0.02});
}
function zoomBy(factor) {
  view.animate({resolution: view.getResolution() / factor, duration: moveTime()});
}
function redraw() {
  bandLayer.setVisible(!hidden.bands);
  [bandLayer, featureLayer, labelLayer, markLayer].forEach((layer) => layer.changed());
}

function distanceTo(item, place) {
  if (item.shape.intersectsCoordinate(place)) return 0;
  const [x, y] = item.shape.getClosestPoint(place);
  return Math.hypot(x - place[0], y - place[1]);
}

// What is shown within reach of a place: dangerous first, then the nearest.
function itemsAt(place, reach_m) {
  const found = [];
  source.forEachFeatureInExtent(ol.buffer([...place, ...place], reach_m), ({item}) => {
    if (isShown(item) && distanceTo(item, place) <= reach_m) found.push(item);
  });
  const ordered = (one, two) => rankOf(two) - rankOf(one) || distanceTo(one, place) - distanceTo(two, place) || one.number - two.number;
  return found.sort(ordered);
}

function choose(item) {
  chosen = item;
  chosenSource.clear();
  if (!item || !item.shape) return;
  const feature = new ol.Feature(item.shape);
  feature.item = item;
  chosenSource.addFeature(feature);
}

// --- measuring -------------------------------------------------------------------------------------------------------
let drawing = null;
function startMeasure(type, told) {
  stopMeasure();
  drawing = new ol.Draw({source: measureSource, type, stopClick: true, style: overlayStyle});
  drawing.on('drawstart', ({feature}) => {
    measureSource.clear();
    feature.getGeometry().on('change', () => told(feature.getGeometry(), false));
  });
  drawing.on('drawend', ({feature}) => told(feature.getGeometry(), true));
  map.addInteraction(drawing);
}
function stopMeasure() {
  if (drawing) map.removeInteraction(drawing);
  drawing = null;
  measureSource.clear();
}
// Keys: a point where the cross is.
function measureHere() {
  drawing.appendCoordinates([view.getCenter()]);
}

// --- position --------------------------------------------------------------------------------------------------------
let watch = null;
function startPosition(told, failed) {
  if (!navigator.geolocation) return failed('positionNone');
  const reasons = {1: 'positionDenied', 2: 'positionNone', 3: 'positionSlow'};
  let first = true;
  watch = navigator.geolocation.watchPosition(({coords}) => {
    const place = ol.transform([coords.longitude, coords.latitude], 'EPSG:4326', MAP_CRS);
    const off = coords.accuracy + DRIFT_M;
    placeSource.clear();
    placeSource.addFeatures([new ol.Feature(new ol.Circle(place, off)), new ol.Feature(new ol.Point(place))]);
    if (first) view.animate({center: place, duration: moveTime()});
    first = false;
    told(place, off);
  }, (error) => failed(reasons[error.code]), {enableHighAccuracy: true, timeout: 30000, maximumAge: 2000});
  return undefined;
}
function stopPosition() {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
  placeSource.clear();
}
// The nearest line of all that have a place, switched off or not.
function nearestTo(place) {
  const feature = source.getClosestFeatureToCoordinate(place, ({item}) => item.type.has_band);
  return feature && {item: feature.item, distance: distanceTo(feature.item, place)};
}
function distanceToArea(place) {
  if (area.intersectsCoordinate(place)) return 0;
  const [x, y] = area.getClosestPoint(place);
  return Math.hypot(x - place[0], y - place[1]);
}
