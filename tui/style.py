"""Where things stand. Colours are not here: the lines carry them."""

CSS = """
Screen { layers: base over; background: #121212; overflow: hidden; }
#annunciator { height: 2; }
#banner { height: 0; }
#deck { height: 1fr; }
#footer { height: 1; }
.page { width: 1fr; height: 1fr; layout: vertical; }
Painted { height: 1fr; width: 1fr; }
.detail { height: 7; }

.dashboard { layout: grid; grid-size: 2 3; grid-columns: 21fr 19fr; grid-rows: 8 1fr 6; }
#dash-orders { column-span: 2; }
.-m .dashboard { grid-columns: 1fr 1fr; grid-rows: 17 1fr 1fr; }
.-m #dash-positions { column-span: 2; }
.-m #dash-orders { column-span: 1; }

.kill { layout: vertical; }
#kill-choices { height: 8; }
#kill-progress { height: 1fr; min-height: 5; }
#kill-commands { height: 4; }
#kill-tail { display: none; }
.-m #kill-choices { height: 12; }
.-m #kill-progress { height: 2fr; }
.-m #kill-commands { height: 5; }
.-m #kill-tail { display: block; height: 1fr; }

#code { layer: over; width: 76; height: 14; offset: 2 4; display: none; }
.-m #code { offset: 22 10; }
#small { layer: over; width: 100%; height: 100%; display: none; }
"""
