"""Run by the AUTOMATIC1111 WebUI at each start, before it is up; the rules stand in the module imported here."""

from lib_photoshoot.webui.hosts.requirements import install

if __name__ == "__main__":
    install()
