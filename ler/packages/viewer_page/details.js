// What is known of a feature, danger first. All texts of owners go in as text, never as markup.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'on') Object.entries(value).forEach(([event, act]) => made.addEventListener(event, act));
    else if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const button = (text, act, properties = {}) => element('button', {type: 'button', on: {click: act}, ...properties}, text);

// A swatch beside a text; pictures say nothing that the text does not say.
function swatch(item, letter) {
  const canvas = element('canvas', {width: 56, height: 28, 'aria-hidden': 'true', className: 'swatch'});
  drawSwatch(canvas, item, letter);
  return canvas;
}

const titleOf = (item) => `${item.type[language]}${letterOf(item) ? ` ${letterOf(item)}` : ''}`;

// A feature in a list: told from its neighbours by its kind and owner.
function shortly(item) {
  const kind = item.attributes.has('type') ? `, ${attributeText(item, 'type')}` : '';
  return `${item.danger ? '⚠ ' : ''}${titleOf(item)}${kind} – ${ownerName(item)}`;
}

function dangerBlock(item) {
  const care = item.attributes.get('sikkerhedshensyn');
  if (!item.danger && !care) return null;
  const block = element('div', {className: `danger rank-${rankOf(item)}`});
  if (item.danger) block.append(element('p', {className: 'big'}, element('span', {'aria-hidden': 'true'}, '⚠ '), item.danger.name[language]));
  if (care) block.append(element('p', {className: 'told'}, care));
  return block;
}

function contactLinks(name, phone, email) {
  const found = [element('span', {className: 'told'}, name)];
  if (phone) found.push(' ', /^\+?[\d ()-]{4,25}$/.test(phone) ? element('a', {href: `tel:${phone.replace(/[^+\d]/g, '')}`}, phone) : element('span', {className: 'told'}, phone));
  if (email) found.push(' ', /^[\w.+-]+@[\w.-]+$/.test(email) ? element('a', {href: `mailto:${email}`}, email) : element('span', {className: 'told'}, email));
  return found;
}

function ownerContacts(owner) {
  const first = owner.contacts.map((contact) => element('li', {}, ...contactLinks(...contact)));
  return element('ul', {}, ...first, element('li', {}, ...contactLinks(owner.name, owner.phone, owner.email)));
}

// A link to a file of the package by its relative path; no part of it can name another place.
function fileLink(item, path) {
  const file = DATA.owners[item.owner].answers[item.answer].files[path];
  if (typeof file === 'string') {
    return element('a', {href: `./${file.split('/').map(encodeURIComponent).join('/')}`, target: '_blank', rel: 'noopener noreferrer', className: 'told'}, path);
  }
  return element('span', {className: 'told'}, file ? `${path}: ${file[language]}` : path);
}

function attachments(item) {
  const sources = item.type.name === 'Informationsressource' ? [item] : [item.attributes.get('bilag') || []].flat().map((id) => besides(item, id)).filter(Boolean);
  if (!sources.length) return null;
  const rows = sources.map((one) => {
    const path = decoded(String(one.attributes.get('sti') || ''));
    return element('li', {}, element('span', {className: 'told'}, String(one.attributes.get('title') || '')), ' ', fileLink(item, path));
  });
  return element('div', {}, element('h3', {}, t('attachments')), element('ul', {}, ...rows), element('p', {className: 'small'}, t('fileHelp')));
}

function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function valueNode(item, column, value) {
  if (column[5] !== 'reference') return element('span', {className: 'told'}, valueText(value, column));
  const nodes = [value].flat().map((id) => {
    const other = besides(item, id);
    return other ? button(titleOf(other), () => showItem(other), {className: 'link'}) : element('span', {className: 'told'}, `${id} (${t('notDelivered')})`);
  });
  return element('span', {}, ...nodes.flatMap((node) => [node, ' ']));
}

function definition(list, label, node, name = '') {
  list.append(element('dt', {}, label, name && label.toLowerCase() !== name.toLowerCase() ? element('small', {}, ` ${name}`) : ''), element('dd', {}, node));
}

function summary(item) {
  const list = element('dl', {});
  if (item.type.has_band) {
    definition(list, t('place'), element('strong', {}, placeText(item)));
    definition(list, t('accuracy'), bandText(item));
    definition(list, t('depth'), depthText(item));
    definition(list, t('cover'), coverText(item));
    definition(list, t('status'), attributeText(item, 'driftsstatus'));
  }
  definition(list, t('owner'), element('span', {}, ...contactLinks(ownerName(item), DATA.owners[item.owner].phone, DATA.owners[item.owner].email)));
  return list;
}

function attributeList(item) {
  const list = element('dl', {className: 'all'});
  for (const column of item.type.columns) {
    const [name] = column;
    const label = column[language === 'da' ? 1 : 2];
    const reason = item.voids[name];
    if (item.attributes.has(name)) definition(list, label, valueNode(item, column, item.attributes.get(name)), name);
    else if (name in item.voids) definition(list, label, element('em', {}, t('isUnknown') + (reason ? ` (${reason})` : '')), name);
  }
  definition(list, 'gml:id', element('span', {className: 'told'}, item.id));
  return list;
}

// The whole of one feature; `hits` are those found at the same place.
function itemDetails(item, hits = [item]) {
  const at = hits.indexOf(item);
  const others = hits.length < 2 ? null : element('div', {className: 'hits'},
    element('p', {}, t('here', hits.length)),
    ...hits.map((one) => button(shortly(one), () => showItem(one, hits), {'aria-current': one === item ? 'true' : 'false', className: 'hit'})));
  return [
    element('h2', {tabIndex: -1, id: 'details-title'}, swatch(item, letterOf(item)), ` ${titleOf(item)}`, element('small', {}, ` ${utilityName(item)}`)),
    dangerBlock(item),
    others,
    summary(item),
    item.clipped ? element('p', {}, t('clipped')) : null,
    attachments(item),
    item.shape ? button(t('zoomTo'), () => zoomTo(item)) : null,
    element('h3', {}, t('attributes')),
    attributeList(item),
    hits.length > 1 && at + 1 < hits.length ? button(t('next'), () => showItem(hits[at + 1], hits)) : null,
  ];
}
