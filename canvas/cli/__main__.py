"""`python -m canvas.cli` is `canvas`."""

from canvas.cli import main

main()
