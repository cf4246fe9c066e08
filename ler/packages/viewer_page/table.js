// Every feature as rows: what the map shows, for whoever cannot use a map. Page by page, so that many stay quick.
const table = document.getElementById('table');
const ROWS_A_PAGE = 100;
const COLUMNS = [
  ['danger', (item) => (item.danger ? item.danger.name[language] : t('none')), (item) => -rankOf(item)],
  ['type', (item) => item.type[language]],
  ['utility', (item) => `${utilityName(item)} ${letterOf(item)}`.trim()],
  ['owner', ownerName],
  ['place', (item) => (item.distance === 0 ? t('inside') : item.distance === null ? t('none') : t('near', metres(item.distance, 1))), (item) => (item.distance === null ? -1 : item.distance)],
  ['accuracy', (item) => (item.type.has_band ? attributeText(item, 'noejagtighedsklasse') : t('none')), (item) => item.band.half],
  ['depth', (item) => (item.type.has_band ? depthText(item) : t('none'))],
  ['status', (item) => (item.type.has_band ? attributeText(item, 'driftsstatus') : t('none'))],
  ['id', (item) => String(item.attributes.get('id') || item.id)],
];
const tableState = {column: 0, down: false, page: 0, filter: ''};

function tableItems() {
  const words = tableState.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = ITEMS.filter((item) => words.every((word) => searchText(item).includes(word)));
  const [, words_of, value_of = words_of] = COLUMNS[tableState.column];
  const sign = tableState.down ? -1 : 1;
  const keyed = found.map((item) => [value_of(item), item]);
  const collator = new Intl.Collator(language, {numeric: true});
  const compare = (one, two) => (typeof one === 'number' ? one - two : collator.compare(one, two));
  return keyed.sort(([one, a], [two, b]) => sign * compare(one, two) || a.number - b.number).map(([, item]) => item);
}

function showTable() {
  const filter = element('input', {type: 'search', id: 'table-filter', value: tableState.filter, maxLength: 100, on: {input: () => {
    Object.assign(tableState, {filter: filter.value, page: 0});
    fillTable();
  }}});
  table.replaceChildren(
    element('p', {className: 'bar'}, element('label', {htmlFor: 'table-filter'}, t('filter')), ' ', filter, element('span', {id: 'table-pages'})),
    element('div', {className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': t('table')}, element('table', {}, element('thead'), element('tbody'))),
  );
  table.hidden = false;
  fillTable();
}

function fillTable() {
  const found = tableItems();
  const first = tableState.page * ROWS_A_PAGE;
  const rows = found.slice(first, first + ROWS_A_PAGE);
  const told = t('rows', whole(rows.length ? first + 1 : 0), whole(first + rows.length), whole(found.length));
  const turn = (step) => () => {
    tableState.page += step;
    fillTable();
  };
  document.getElementById('table-pages').replaceChildren(
    button(t('previous'), turn(-1), {disabled: tableState.page === 0}), element('span', {}, ` ${told} `),
    button(t('next'), turn(1), {disabled: first + rows.length >= found.length}));
  table.querySelector('thead').replaceChildren(element('tr', {}, ...COLUMNS.map(headCell)));
  table.querySelector('tbody').replaceChildren(...rows.map(rowOf));
  say(told);
}

function headCell([name], number) {
  const sorted = tableState.column === number;
  const arrow = sorted ? (tableState.down ? ' ▼' : ' ▲') : '';
  const sort = () => {
    Object.assign(tableState, {column: number, down: sorted && !tableState.down, page: 0});
    fillTable();
    table.querySelectorAll('th button')[number].focus();
  };
  return element('th', {scope: 'col', 'aria-sort': sorted ? (tableState.down ? 'descending' : 'ascending') : 'none'}, button(t(name) + arrow, sort));
}

function rowOf(item) {
  const cells = COLUMNS.map(([name, words_of]) => {
    const text = words_of(item);
    if (name !== 'type') return element('td', {className: `told cell-${name}`}, text);
    return element('th', {scope: 'row'}, button(text, () => {
      closeTable();
      showItem(item);
      zoomTo(item);
    }, {className: 'link', title: t('showOnMap', item.id)}));
  });
  return element('tr', {className: item.danger ? `rank-${rankOf(item)}` : ''}, ...cells);
}

function closeTable() {
  table.hidden = true;
  table.replaceChildren();
  document.getElementById('show-table').setAttribute('aria-pressed', 'false');
  document.getElementById('stage').hidden = false;
  map.updateSize();
}

function openTable() {
  if (!panel.hidden) closePanel();
  document.getElementById('stage').hidden = true;
  document.getElementById('show-table').setAttribute('aria-pressed', 'true');
  showTable();
  document.getElementById('table-filter').focus();
}
