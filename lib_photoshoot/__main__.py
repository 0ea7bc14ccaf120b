"""``python -m lib_photoshoot``."""

from lib_photoshoot.cli.entry import main

if __name__ == "__main__":
    main()
