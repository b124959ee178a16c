"""A second opinion on what the scrubber let through, written to be wrong in other ways than it.

- **detector.py** searches scrubbed traces with other means than the scrubber's: Presidio's stock
  recognizers and own checks, its own reading of keys (**labels.py**) and its own walk
  (**leaves.py**). **known.py** tells what was invented here from what is real.
- **survivors.py** searches for the raw values themselves while the scrubber still knows them.
- **canaries.py** plants invented people among the traces and looks whether anything of them is
  left.
- **gate.py** joins these for the scrubber: what they object to is quarantined.
- **receipt.py** is what a run leaves for those who have to answer for it; **stored.py** audits a
  store that exists.

Importing this package loads nothing; the modules load Presidio when they search.
"""
