"""The adapter for AUTOMATIC1111's WebUI (1.10.1): the only code here that imports its ``modules``."""
