// The panel at the side, or at the foot of a phone: layers with the legend, results of a search, about the package.
const panel = document.getElementById('panel');
const MOST_RESULTS = 60;
let redrawPanel = () => {};

function openPanel(render, {focus = true} = {}) {
  redrawPanel = () => {
    const close = button('×', closePanel, {className: 'close', 'aria-label': t('close')});
    panel.replaceChildren(close, ...render().filter(Boolean));
  };
  redrawPanel();
  panel.hidden = false;
  panel.scrollTop = 0;
  if (focus) (panel.querySelector('h2') || panel).focus({preventScroll: true});
  markOpen('');
}

function closePanel() {
  const opener = document.querySelector('[data-panel][aria-expanded="true"]');
  panel.hidden = true;
  redrawPanel = () => {};
  choose(null);
  markOpen('');
  (opener || document.getElementById('map')).focus();
}

function markOpen(name) {
  document.querySelectorAll('[data-panel]').forEach((one) => one.setAttribute('aria-expanded', String(one.dataset.panel === name)));
}

function togglePanel(name, render) {
  if (document.querySelector(`[data-panel="${name}"]`).getAttribute('aria-expanded') === 'true') return closePanel();
  openPanel(render);
  say('');
  return markOpen(name);
}

const heading = (text) => element('h2', {tabIndex: -1}, text);

function countBy(key) {
  const counts = new Map();
  ITEMS.forEach((item) => counts.set(item[key], (counts.get(item[key]) || 0) + 1));
  return [...counts.entries()].sort(([one], [two]) => one - two);
}

function switchRow(set, value, name, count, picture) {
  const box = element('input', {type: 'checkbox', checked: !set.has(value), on: {change: () => {
    if (box.checked) set.delete(value);
    else set.add(value);
    afterSwitch();
  }}});
  return element('label', {className: 'row'}, box, picture || '', element('span', {className: 'told'}, name), element('span', {className: 'count'}, whole(count)));
}

function afterSwitch() {
  redraw();
  tellHidden();
}

// Lines that are switched off are never forgotten: their number stands below the map.
function tellHidden() {
  const count = ITEMS.filter((item) => item.shape && !isShown(item)).length;
  const place = document.getElementById('hidden-lines');
  const all = button(t('showAll'), () => {
    hidden.layers.clear();
    hidden.owners.clear();
    afterSwitch();
    redrawPanel();
  });
  place.replaceChildren(...(count ? [t('hiddenLines', whole(count)), ' ', all] : []));
}

const sampleOf = (layer, kind = 'line', more = {}) => ({layer, owner: -1, type: {kind, mark: 'plus'}, attributes: new Map(), ...more});

function layersPanel() {
  const sample = (layer) => {
    const found = ITEMS.filter((item) => item.layer === layer);
    const shown = found.find((item) => item.type.kind !== 'component');
    return shown ? swatch(sampleOf(layer), layer === NOTES ? '' : STYLES.utilities[layer].letter) : swatch({...sampleOf(layer, 'component'), type: found[0].type}, '');
  };
  const layers = countBy('layer').map(([layer, count]) => switchRow(hidden.layers, layer, layer === NOTES ? t('notes') : STYLES.utilities[layer].name[language], count, sample(layer)));
  const owners = countBy('owner').map(([owner, count]) => switchRow(hidden.owners, owner, DATA.owners[owner].name, count));
  const missing = ITEMS.filter((item) => item.type.has_band && !item.shape).length;
  return [
    heading(t('layers')),
    ITEMS.length ? null : element('p', {}, t('noLines')),
    element('fieldset', {}, element('legend', {}, t('types')), ...layers),
    element('fieldset', {}, element('legend', {}, t('owners')), ...owners),
    bandsBox(),
    missing ? element('p', {}, t('noPlace', missing)) : null,
    element('h3', {}, t('legend')),
    legend(),
  ];
}

function bandsBox() {
  const box = element('input', {type: 'checkbox', checked: !hidden.bands, on: {change: () => {
    hidden.bands = !box.checked;
    redraw();
  }}});
  return element('fieldset', {}, element('legend', {}, t('accuracy')), element('label', {className: 'row'}, box, t('bands')),
    element('p', {className: 'small'}, t('bandsHelp')), filledRow(BAND_KNOWN, t('bandKnown')), filledRow(BAND_UNKNOWN, t('bandUnknown')));
}

function filledRow(fill, text, outline) {
  const canvas = element('canvas', {width: 56, height: 28, 'aria-hidden': 'true', className: 'swatch'});
  const pen = canvas.getContext('2d');
  pen.fillStyle = fill;
  pen.fillRect(3, 5, 50, 18);
  if (outline) {
    [pen.strokeStyle, pen.lineWidth] = [outline, 2];
    pen.strokeRect(3, 5, 50, 18);
  }
  return element('div', {className: 'row'}, canvas, element('span', {}, text));
}

// Symbols that occur here, besides those of the layers.
function legend() {
  const rows = [];
  const occurs = (text, test, change) => {
    const found = ITEMS.find(test);
    if (found) rows.push(element('div', {className: 'row'}, swatch(change(found), ''), element('span', {}, text)));
  };
  for (const danger of [...STYLES.dangers].reverse()) {
    occurs(danger.name[language], (item) => item.danger === danger, (item) => sampleOf(item.layer, 'line', {danger}));
  }
  for (const status of STYLES.statuses) {
    occurs(status.name[language], (item) => item.status === status && item.layer !== NOTES, (item) => sampleOf(item.layer, 'line', {status}));
  }
  occurs(STYLES.duct.name[language], (item) => item.type.kind === 'duct', (item) => sampleOf(item.layer, 'duct'));
  occurs(STYLES.trace.name[language], (item) => item.type.kind === 'trace', (item) => sampleOf(item.layer, 'trace'));
  for (const type of DATA.types.filter((one) => one.kind === 'component')) {
    occurs(type[language], (item) => item.type === type, (item) => ({...sampleOf(item.layer), type}));
  }
  if (DATA.marking.pieces) rows.push(filledRow(MARKING_HATCH, t('marking'), MARKING.fill));
  rows.push(filledRow(hatchArea, t('digArea'), STYLES.area.outline));
  rows.push(filledRow(faded(STYLES.outside.fill, STYLES.outside.opacity), t('outside')));
  return element('div', {className: 'legend'}, ...rows);
}

function resultsPanel(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = ITEMS.filter((item) => words.every((word) => searchText(item).includes(word)));
  found.sort((one, two) => rankOf(two) - rankOf(one) || one.number - two.number);
  const told = found.length > MOST_RESULTS ? t('foundSome', MOST_RESULTS, whole(found.length)) : t('found', whole(found.length));
  say(told);
  const rows = found.slice(0, MOST_RESULTS).map((item) => button(`${shortly(item)} – ${item.attributes.get('id') || item.id}`, () => {
    showItem(item);
    zoomTo(item);
  }, {className: 'hit told'}));
  return [heading(t('hits')), element('p', {}, told), ...rows];
}

function aboutPanel() {
  const {request} = DATA;
  const list = element('dl', {});
  const add = (key, value) => value && definition(list, t(key), element('span', {className: 'told'}, String(value)));
  add('order', request.order_number);
  add('reference', request.order_reference);
  add('revision', `${request.revision} (${request.changed_at})`);
  add('period', request.period.join(' – '));
  add('purpose', request.purpose);
  add('description', request.description);
  add('size', `${metres(request.area_m2, 1)} m²`);
  add('delivered', t('objects', whole(DATA.delivered)));
  const owners = DATA.owners.map((owner) => element('details', {},
    element('summary', {}, element('span', {className: 'told'}, owner.name), ': ', element('strong', {}, t(owner.answered ? 'answered' : 'missing'))),
    element('p', {className: 'told'}, owner.status.join('; ')),
    ...owner.answers.map((answer) => element('p', {className: 'told'}, [answer.type, answer.valid_until && t('validUntil', answer.valid_until), answer.further_information].filter(Boolean).join('; '))),
    ownerContacts(owner)));
  return [heading(t('title', request.order_number)), list, element('h3', {}, t('owners')), ...owners,
    element('p', {className: 'small'}, t('crs')), element('p', {className: 'small'}, t('complete'))];
}
