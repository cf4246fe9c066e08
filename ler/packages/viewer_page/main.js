// Ties the page together: the tools, clicks and keys on the map, the language.
const $ = (id) => document.getElementById(id);

function say(text) {
  if ($('said').textContent !== text) $('said').textContent = text; // the same is not read aloud again
}

function showItem(item, hits = [item]) {
  choose(item);
  openPanel(() => itemDetails(item, hits));
}

function pick(place) {
  const hits = itemsAt(place, PICK_PX * view.getResolution());
  if (!hits.length) {
    if (!panel.hidden && chosen) closePanel();
    return say(t('nothingHere'));
  }
  say(hits.length > 1 ? t('here', hits.length) : t('one'));
  return showItem(hits[0], hits);
}

function showReadout(place) {
  const [longitude, latitude] = ol.transform(place, MAP_CRS, 'EPSG:4326');
  const degrees = (value, letter) => `${metres(value, 6)}° ${letter}`;
  $('readout').textContent = `${t('east')} ${metres(place[0])} ${t('north')} ${metres(place[1])} (EPSG:25832) · `
    + `${degrees(latitude, t('latitude'))} ${degrees(longitude, t('longitude'))} (WGS84) · ${t('scale', whole(Number(denominatorAt(view.getResolution()).toPrecision(2))))}`;
}

// --- measuring -------------------------------------------------------------------------------------------------------
function toggleMeasure(id, type) {
  const on = $(id).getAttribute('aria-pressed') === 'false';
  ['measure-line', 'measure-area'].forEach((one) => $(one).setAttribute('aria-pressed', String(on && one === id)));
  if (!on) {
    stopMeasure();
    return say('');
  }
  startMeasure(type, (geometry, done) => {
    const text = type === 'Polygon' ? t('surface', metres(geometry.getArea())) : t('length', metres(geometry.getLength()));
    (done ? say : showMeasure)(`${text} ${t('measured')}`);
  });
  $('map').focus();
  return say(t('measureStart'));
}
// While a line is drawn its length changes with each move: shown, but not read aloud.
function showMeasure(text) {
  $('readout').textContent = text;
}

// --- position --------------------------------------------------------------------------------------------------------
function togglePosition() {
  const on = $('locate').getAttribute('aria-pressed') === 'false';
  $('locate').setAttribute('aria-pressed', String(on));
  if (!on) {
    stopPosition();
    return say('');
  }
  say(t('positionWait'));
  return startPosition((place, off) => {
    const near = nearestTo(place);
    const away = distanceToArea(place);
    say([
      t('positionIs', metres(off, 0)),
      near ? t('nearest', metres(near.distance, 1), nameInWords(near.item), ownerName(near.item), metres(near.item.band.half)) : '',
      away ? t('fromArea', metres(away, 0)) : '', t('positionCare'),
    ].filter(Boolean).join(' · '));
  }, (reason) => {
    $('locate').setAttribute('aria-pressed', 'false');
    stopPosition();
    say(t('positionFailed', t(reason)));
  });
}
const nameInWords = (item) => utilityName(item).toLowerCase() + (item.danger ? ` (${item.danger.name[language].toLowerCase()})` : '');

// --- language --------------------------------------------------------------------------------------------------------
function setLanguage(chosenLanguage) {
  language = chosenLanguage;
  document.documentElement.lang = language;
  document.title = t('title', DATA.request.order_number);
  document.querySelector('h1').textContent = document.title;
  document.querySelectorAll('[data-t]').forEach((one) => (one.textContent = t(one.dataset.t)));
  document.querySelectorAll('[data-label]').forEach((one) => one.setAttribute('aria-label', t(one.dataset.label)));
  document.querySelectorAll('#banner [lang]').forEach((one) => (one.hidden = one.lang !== language));
  $('query').placeholder = t('searchHint');
  $('language').textContent = t('other');
  $('language').lang = language === 'da' ? 'en' : 'da';
  say('');
  tellHidden();
  redrawPanel();
  if (!table.hidden) showTable();
  showReadout(view.getCenter() || DATA.area.origin);
}

// --- events ----------------------------------------------------------------------------------------------------------
function onMapKey(event) {
  if (event.key === 'Enter') {
    event.preventDefault();
    if (drawing) measureHere();
    else pick(view.getCenter());
  }
  if (event.key === 'Escape' && drawing) drawing.finishDrawing();
}

function listen() {
  map.on('click', (event) => !drawing && pick(event.coordinate));
  map.on('pointermove', (event) => !event.dragging && !drawing && showReadout(event.coordinate));
  map.on('moveend', () => !drawing && showReadout(view.getCenter()));
  $('map').addEventListener('keydown', onMapKey);
  $('find').addEventListener('submit', (event) => {
    event.preventDefault();
    if ($('query').value.trim()) openPanel(() => resultsPanel($('query').value));
  });
  $('show-layers').addEventListener('click', () => togglePanel('layers', layersPanel));
  $('show-about').addEventListener('click', () => togglePanel('about', aboutPanel));
  $('show-table').addEventListener('click', () => (table.hidden ? openTable() : closeTable()));
  $('measure-line').addEventListener('click', () => toggleMeasure('measure-line', 'LineString'));
  $('measure-area').addEventListener('click', () => toggleMeasure('measure-area', 'Polygon'));
  $('locate').addEventListener('click', togglePosition);
  $('print').addEventListener('click', () => {
    if (panel.hidden) togglePanel('layers', layersPanel); // the legend goes with the map
    window.print();
  });
  $('language').addEventListener('click', () => setLanguage(language === 'da' ? 'en' : 'da'));
  $('zoom-in').addEventListener('click', () => zoomBy(2));
  $('zoom-out').addEventListener('click', () => zoomBy(0.5));
  $('zoom-area').addEventListener('click', () => zoomToArea());
  document.addEventListener('keydown', (event) => event.key === 'Escape' && !panel.hidden && !drawing && closePanel());
  new ResizeObserver(() => map.updateSize()).observe($('map'));
}

zoomToArea(0);
listen();
setLanguage('da');
