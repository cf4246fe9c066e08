<?xml version="1.0" encoding="UTF-8"?>
<ler:Graveforespoergselssvar xmlns:ler="http://data.gov.dk/schemas/LER/2/gml" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:dim="http://data.gov.dk/schemas/dimensions/2/gml" xmlns:ann="http://data.gov.dk/schemas/annotations/2/gml" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" gml:id="svar-1" schemaVersion="2.0.0">
  <gml:identifier codeSpace="CVR">12345678</gml:identifier>
  <gml:name>Eksempel Forsyning</gml:name>
  <ler:id>3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90</ler:id>
  <ler:type>ledningsoplysninger udleveret</ler:type>
  <ler:ledningskomponentMember>
    <ler:Vandkomponent gml:id="vandkomponent-1">
      <ler:geometri>
        <gml:Point gml:id="geometri-1" srsName="http://www.opengis.net/def/crs/EPSG/0/7416" srsDimension="3">
          <gml:pos>575050 6224020 12.5</gml:pos>
        </gml:Point>
      </ler:geometri>
      <ler:type>ventil</ler:type>
      <ler:stutskote srsName="http://www.opengis.net/def/crs/EPSG/0/5799" srsDimension="1">12.1</ler:stutskote>
    </ler:Vandkomponent>
  </ler:ledningskomponentMember>
  <ler:linjeannotationMember>
    <ann:LinearAnnotation gml:id="linearannotation-1">
      <ann:geometry>
        <gml:Curve gml:id="geometri-2" srsName="http://www.opengis.net/def/crs/EPSG/0/7416"><gml:segments><gml:Arc>
          <gml:posList>575010 6224010 12.5 575030 6224020 12.5 575050 6224020 12.5</gml:posList>
        </gml:Arc></gml:segments></gml:Curve>
      </ann:geometry>
      <ann:type>line</ann:type>
    </ann:LinearAnnotation>
  </ler:linjeannotationMember>
</ler:Graveforespoergselssvar>
