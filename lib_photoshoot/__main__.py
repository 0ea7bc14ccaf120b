"""``python -m lib_photoshoot``."""

from lib_photoshoot.cli.main import main

if __name__ == "__main__":
    main()
