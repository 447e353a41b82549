"""``python -m glasshub``: the same as the ``glasshub`` command."""

from glasshub.cli import main

main()
