<?xml version="1.0" encoding="UTF-8"?>
<ler:Graveforespoergselssvar xmlns:ler="http://data.gov.dk/schemas/LER/2/gml" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:dim="http://data.gov.dk/schemas/dimensions/2/gml" xmlns:ann="http://data.gov.dk/schemas/annotations/2/gml" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" gml:id="svar-1" schemaVersion="2.1.0">
  <gml:identifier codeSpace="CVR">12345678</gml:identifier>
  <gml:name>Eksempel Forsyning</gml:name>
  <ler:id>3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90</ler:id>
  <ler:type>ledningsoplysninger udleveret</ler:type>
  <ler:ledningMember>
    <ler:Elledning gml:id="elledning-1">
      <ler:driftsstatus>i drift</ler:driftsstatus>
      <ler:ejerskabsforhold>ejet af udleverende ledningsejer</ler:ejerskabsforhold>
      <ler:etableringstidspunkt>2024-05-13</ler:etableringstidspunkt>
      <ler:fareklasse>ikke farlig</ler:fareklasse>
      <ler:noejagtighedsklasse>&lt;= 0.25 m</ler:noejagtighedsklasse>
      <ler:vejledendeDybde uom="mm">-600</ler:vejledendeDybde>
      <ler:geometri>
        <gml:LineString gml:id="geometri-1" srsName="http://www.opengis.net/def/crs/EPSG/0/7416" srsDimension="3">
          <gml:posList>575010 6224010 -99 575030 6224020 -99 575050 6224020 -99</gml:posList>
        </gml:LineString>
      </ler:geometri>
      <ler:udvendigDiameter uom="mm">30</ler:udvendigDiameter>
      <ler:type>forsyningskabel</ler:type>
      <ler:spaendingsniveau uom="kV">0.4</ler:spaendingsniveau>
    </ler:Elledning>
  </ler:ledningMember>
</ler:Graveforespoergselssvar>
