"""Ablations from a script, with the code and the flags of `textcentric ablate` and `compare`.

python pipelines/ablate.py crmt --dataset clips.csv --schema clips.yaml -o runs/crmt
python pipelines/ablate.py align-vl --latents latents/captions -o runs/align
python pipelines/ablate.py align-vl --grid --latents latents/captions -o runs/grid
python pipelines/ablate.py -c pipelines/petfinder.yaml
"""

import sys

from textcentric.cli import main

if __name__ == "__main__":
    of_method = sys.argv[1:2] in (["crmt"], ["align-vl"])
    sys.argv.insert(1, "ablate" if of_method else "compare")
    main()
