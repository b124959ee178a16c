"""Words that streets are made of, by language, as alternatives of a regular expression."""

from __future__ import annotations

#: English street types that, after a number and a name, leave little doubt.
TYPES = (
    "street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|place|pl|square|sq|"
    "terrace|ter|trail|trl|way|highway|hwy|parkway|pkwy|circle|cir|crescent|cres|close|gardens|"
    "grove|mews|row|walk|hill|plaza|loop|alley|expressway|turnpike|pike|quay|wharf|run|path|pass|"
    "crossing|heights|ridge|view|park|broadway|freeway|esplanade|parade|promenade|strand|green|"
    "rise|vale|glen|bend|cove|croft|chase|drove|gate|causeway|causey|route|rte|terr|bvd|xing|tce|"
    "pde|cct|hts|trce|byp|expy|fwy|cswy|plz|lndg|mdws|crk|byway|mnr|jct"
)
#: The same, less sure: a capital letter is asked for.
LOOSE_TYPES = (
    "annex|arcade|bayou|beach|bluffs?|bottom|branch|bridge|brooks?|burgs?|bypass|camp|canyon|cape|"
    "center|centers|centre|circles|cliffs?|club|common|commons|corners?|course|courts|coves|creek|"
    "crest|crossroads?|curve|dale|dam|divide|drives|estates?|extensions?|falls?|ferry|fields?|"
    "flats?|fords?|forest|forges?|forks?|fort|gardens?|gateway|glens|greens|groves|harbors?|haven|"
    "hills|hollow|inlet|islands?|isle|junctions?|keys?|knolls?|lakes?|land|landing|lights?|locks?|"
    "lodge|mall|manors?|meadows?|mills?|mission|motorway|mount|mountains?|neck|orchard|oval|"
    "overpass|parks|parkways|passage|pines?|plains?|plazas?|points?|ports?|prairie|radial|ramp|"
    "ranch|rapids?|rest|ridges|river|roads|route|shoals?|shores?|skyway|springs?|spurs?|squares|"
    "station|stravenue|stream|streets|summit|throughway|trace|track|trafficway|tunnel|underpass|"
    "unions?|valleys?|viaduct|views|villages?|ville|vista|walks|wall|ways|wells?|court|yard|chowk|"
    "marg|nagar|salai|bazaar|bagh|enclave|vihar|colony|residency"
)
SURE = frozenset(
    """
    street avenue ave road rd lane ln boulevard blvd court terrace crescent parkway pkwy st hwy
    highway
    """.split()
)
#: Endings of one-word streets before a number.
ENDINGS = (
    "straße|strasse|str|weg|platz|allee|gasse|damm|ufer|ring|chaussee|straat|laan|plein|gracht|"
    "kade|singel|dijk|steeg|markt|gatan|gata|vägen|väg|vej|gade|stræde|allé|katu|polku|tie|veien|"
    "vegen|veg|utca|prospekt|eggen|stien|graben|steig|stieg|pfad|zeile|park|pad|burgwal|dreef|"
    "poort|vegur|stígur|stigur|braut|vænget|vangen|torv|bakken|svingen|gränd|backen|torget|kuja|"
    "raitti|reihe|twiete|kamp|gässchen|gässli|promenade|chemin"
)
#: Words with these endings that are things.
THINGS = frozenset(
    """
    thinkpad launchpad notepad touchpad trackpad ipad gamepad joypad helipad footpad mousepad
    keypad scratchpad bootcamp chromepad xpad prospekt
    """.split()
)
#: Street types that stand between the name and the number.
SECOND = (
    "straße|strasse|str|weg|platz|allee|gasse|damm|ufer|ring|chaussee|straat|laan|plein|gracht|"
    "kade|"
    "singel|allé|alle|gate|gata|vei|veg|vej|gade|plads|katu|tie|utca|útja|út|tér|körút|krt|ulice|"
    "náměstí|prečac|trg|cesta|bulevar|caddesi|cad|sokak|sok|bulvarı|sokağı|mahallesi|iela|ulica|"
    "prospekt|prospektas|pr\\.|gatvė|mnt|maantee|puiestee|tänav|reihe|twiete|kamp|markt|soi|"
    "rakpart|kuja|torg|torv|plass|pad|bulvāris|проспект|улица|переулок|шоссе|площадь|бульвар|"
    "набережная|вулиця"
)
#: Street types that come first, and mean little else in English.
FIRST = (
    "rue|chemin|allée|impasse|quai|faubourg|montée|ruelle|sentier|boul\\.?|calle|c/|avenida|"
    "avda\\.?|"
    "av\\.|paseo|plaça|carrer|ronda|travesía|camino|carretera|calzada|callejón|cerrada|privada|"
    "andador|circuito|diagonal|urbanización|viale|piazza|piazzale|corso|largo|vicolo|strada|"
    "lungomare|lungarno|contrada|rua|travessa|praça|alameda|estrada|rodovia|ul\\.|ulica|aleja|"
    "al\\.|"
    "aleje|osiedle|os\\.|ulitsa|улица|ул\\.|проспект|пр\\.|переулок|пер\\.|jalan|jl\\.?|gang|gg\\.|"
    "đường|phố|aleea|bulevardul|calea|rruga|kungsgatan|via dei|via della|via del|via di|χλμ|οδός|"
    "λεωφόρος|thanon|soi|trg|bul\\.|bulevar|bulevard|bulwar|leoforos|odos|plac|rynek|náměstí|"
    "nám\\.|via dell'|via dello|via delle|piazzetta|piața|esplanada|glorieta|pasaje|pje\\.|"
    "passeig|rambla|camí|estr\\.|trav\\.|jln\\.?|lebuh|lorong|persiaran|hẻm|ngõ|бульвар|наб\\.|"
    "площадь|шоссе|вул\\.|вулиця"
)
#: The same, but words of English too.
LOOSE_FIRST = (
    "via|am|an der|an den|im|in der|auf der|auf dem|unter den|zum|zur|alt|plaza|place|bei|beim|"
    "hinter"
)
INDIAN = (
    "h\\.? ?no|house no|door no|d\\.? ?no|plot no|plot|flat no|flat|shop no|survey no|sector|"
    "villa no|qtr no|quarter no"
)
#: Buildings with a name, as they stand before a street.
HOUSES = (
    "Cottage|Cottages|House|Lodge|Farm|Farmhouse|Barn|Rectory|Vicarage|Manor|Grange|Hall|Villa|"
    "Tower|Towers|Court|Mansions|Apartments|Residency|Residence|Residences|Heights|Building|"
    "Chambers|Works|Estate|Mill|Mews|Wharf|Point|Plaza|Park|Centre|Enclave|Complex|Arcade|"
    "Granary|Stables|Chapel|Schoolhouse|Forge|Bungalow|Gatehouse|Croft|Bakery|Dairy|Smithy|Oast"
)
UNITS_OF = frozenset(
    """
    min mins minute minutes hour hours day days week weeks month months year years mile miles
    km kilometers block blocks percent step steps item items people ways times points units
    """.split()
)
