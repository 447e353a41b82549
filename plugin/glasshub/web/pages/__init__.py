"""The pages, mirrored by the folders of ``templates/``."""
